#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line itself: options, messages, exit codes, and what it makes of an agent's answers. cli.sh VETHWALL
set -u

vethwall=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
agent=
trap 'exec 8>&- 9<&-; [ -z "$agent" ] || wait "$agent"; rm -rf "$work"' EXIT
failed=0
count=0
unset VETHWALL_SOCKET NO_COLOR

cd "$here/cases/011-pod-selector-stays-at-home" || exit 1

fail() {
        echo "FAIL $*"
        failed=$((failed + 1))
}

# run CODE ARG...: runs, and checks the exit code. Output is then in $work/out, messages in $work/err.
run() {
        local want=$1 got
        shift
        what="vethwall $*"
        count=$((count + 1))
        "$vethwall" "$@" >"$work/out" 2>"$work/err" </dev/null
        got=$?
        [ "$got" -eq "$want" ] || fail "$what: exit $got, not $want: $(cat "$work/err")"
}

# What must, or must not, be in the output or the messages.
out() { grep -qF -- "$1" "$work/out" || fail "$what: no '$1' in: $(cat "$work/out")"; }
err() { grep -qF -- "$1" "$work/err" || fail "$what: no '$1' in: $(cat "$work/err")"; }
out_not() { ! grep -qF -- "$1" "$work/out" || fail "$what: '$1' in: $(cat "$work/out")"; }
quiet() { [ ! -s "$work/err" ] || fail "$what: says: $(cat "$work/err")"; }
silent() { [ ! -s "$work/out" ] || fail "$what: prints: $(cat "$work/out")"; }

help_and_version() {
        run 0 --help
        out "Usage: vethwall COMMAND"
        for name in compile matrix explain diff lint status endpoints inventory policies counters; do
                out "  $name "
        done
        quiet
        run 0 help
        out "Usage: vethwall COMMAND"
        run 0 matrix --help
        out "Usage: vethwall matrix [OPTION...] [PROTO/PORT...]"
        out "text, json, csv, dot, svg"
        out "--live"
        out_not "--fail-on"
        run 0 help status
        out "--socket"
        out_not "--policy"
        run 0 --version
        grep -qE '^vethwall [0-9]+\.[0-9]+' "$work/out" || fail "$what: $(cat "$work/out")"
        run 0 matrix --version
}

mistakes() {
        run 2
        err "no command given"
        silent
        run 2 matrx
        err "did you mean 'matrix'?"
        run 2 frobnicate
        err "see vethwall --help"
        run 2 lint
        err "usage: vethwall lint"
        run 2 matrix --polcy=x
        err "did you mean '--policy'?"
        run 2 matrix -z
        err "unknown option '-z'"
        run 2 matrix --help=yes
        err "takes no value"
        run 2 matrix -p policy.yaml -i
        err "option '-i' needs a value"
        run 2 matrix -i inventory.yaml
        err "-p PATH"
        run 2 matrix -p policy.yaml
        err "-i FILE"
        run 2 matrix -p policy.yaml -i inventory.yaml --socket x
        err "matrix asks the agent only with --live"
        run 2 lint --socket x policy.yaml
        err "lint takes no option --socket"
        run 2 matrix -p policy.yaml -i inventory.yaml -o yaml
        err "text, json, csv, dot, svg"
        run 2 compile -p policy.yaml -i inventory.yaml -o json
        err "it has nft"
        run 2 matrix -p policy.yaml -i inventory.yaml --color sometimes
        err "auto, always or never"
        run 2 matrix -p - -i -
        err "only once"
        run 2 explain -p policy.yaml -i inventory.yaml shop/web shop/db
        err "usage: vethwall explain [OPTION...] SRC DST PROTO/PORT"
        run 2 compile -p policy.yaml -i inventory.yaml more
        err "usage: vethwall compile"
        run 2 matrix -p policy.yaml -i inventory.yaml -- -p
        err "'-p' names no protocol"
        run 2 matrix -p nowhere.yaml -i inventory.yaml
        err "nowhere.yaml"
        silent
        run 2 matrix -p policy.yaml -i nowhere.yaml
        err "nowhere.yaml"
        run 2 matrix -p policy.yaml -i policy.yaml
        silent
        run 0 matrix -p inventory.yaml -i inventory.yaml
        err "warning: vethwall.io/v1 Inventory is no policy object and was skipped [VW007]"
        "$vethwall" $'a\033[31mb' 2>"$work/err"
        ! grep -q $'\033' "$work/err" || fail "a control character reaches the terminal"
}

flows() {
        for bad in tcp tcp/ tcp/0 tcp/65536 tcp/080 tcp/+1 tcp/http icmp/8 nonsense/1 300 /80 ""; do
                run 2 matrix -p policy.yaml -i inventory.yaml "$bad"
        done
        run 0 matrix -p policy.yaml -i inventory.yaml TCP/80 udp/53 sctp/7 icmp icmpv6 47 132/9
        run 1 explain -p policy.yaml -i inventory.yaml lab/ext shop/db icmp
        run 0 explain -p policy.yaml -i inventory.yaml web db tcp/5432
        run 2 explain -p policy.yaml -i inventory.yaml shop/wen shop/db tcp/80
        err "did you mean 'shop/web'?"
        run 2 explain -p policy.yaml -i inventory.yaml nobody-at-all shop/db tcp/80
        err "neither an endpoint"
        run 2 explain -p policy.yaml -i inventory.yaml 192.0.2.1 192.0.2.2 tcp/80
        err "no policy speaks of them"
        run 2 explain -p policy.yaml -i inventory.yaml 10.0.0.2 2001:db8::1 tcp/80
        err "not of one family"
}

# Options and operands in any order, in every spelling, and the same result each time.
spellings() {
        run 0 explain -p policy.yaml -i inventory.yaml shop/web shop/db tcp/5432
        cp "$work/out" "$work/want"
        same() {
                run 0 "$@"
                cmp -s "$work/out" "$work/want" || fail "$what: differs"
        }
        same -p policy.yaml explain shop/web -i inventory.yaml shop/db tcp/5432
        same explain shop/web shop/db tcp/5432 --inventory=inventory.yaml --policy policy.yaml
        same -ppolicy.yaml -iinventory.yaml --color=never explain -- shop/web shop/db tcp/5432
        same explain -p policy.yaml -i inventory.yaml -o json -o text shop/web shop/db tcp/5432

        count=$((count + 1))
        "$vethwall" matrix -p - -i inventory.yaml <policy.yaml >"$work/piped" || fail "policies from standard input"
        run 0 matrix -p policy.yaml -i inventory.yaml
        cmp -s "$work/piped" "$work/out" || fail "policies from standard input differ"
        count=$((count + 1))
        "$vethwall" matrix -i - -p policy.yaml <inventory.yaml | cmp -s - "$work/out" ||
                fail "the inventory from standard input differs"

        mkdir "$work/policies"
        run 0 matrix -p "$work/policies" -i inventory.yaml
        err "warning: there is no policy file"
        cp policy.yaml "$work/policies/b.yaml"
        cp ../002-deny-ingress/policy.yaml "$work/policies/a.yaml"
        run 0 matrix -p "$work/policies" -i inventory.yaml
        cp "$work/out" "$work/want"
        run 0 matrix -p policy.yaml -p ../002-deny-ingress/policy.yaml -i inventory.yaml
        cmp -s "$work/out" "$work/want" || fail "a directory and its files differ"
}

colour() {
        run 0 explain --color always -p policy.yaml -i inventory.yaml shop/web shop/db tcp/5432
        out $'\033[32mALLOWED'
        run 0 explain -p policy.yaml -i inventory.yaml shop/web shop/db tcp/5432
        out_not $'\033'
        run 0 matrix --color=always tcp/5432 -p policy.yaml -i inventory.yaml
        out $'\033[31mX'
        count=$((count + 1))
        "$vethwall" matrix -p policy.yaml -i inventory.yaml >/dev/full 2>"$work/err"
        [ $? -eq 2 ] || fail "output that cannot be written is no trouble"
}

# Questions about what an agent has in force, in a transcript; and the same answers from what it has as files.
live_answers() {
        local line status words
        while IFS= read -r line; do
                read -ra words <<<"$line"
                echo "\$ vethwall $line"
                (cd "$here/agent" && "$vethwall" "${words[@]}" --socket "$work/agent.sock") 2>&1
                status=$?
                [ "$status" -eq 0 ] || echo "exit $status"
                echo
        done <"$here/agent/live-commands" >"$work/live.txt"
        count=$((count + 1))
        if [ "${REGENERATE:-}" = 1 ]; then
                cp "$work/live.txt" "$here/agent/live.txt"
        else
                diff -u "$here/agent/live.txt" "$work/live.txt" || fail "questions about an agent"
        fi
        ! LC_ALL=C grep -q $'[\001-\011\013-\037\177]' "$work/live.txt" || fail "live: a control character"

        run 1 diff --live "$here/agent/new" -o json --socket "$work/agent.sock"
        out '{"type": "removed", "src": "shop/proxy", "dst": "shop/web"'
        run 1 diff --live "$here/agent/new" -o markdown --socket "$work/agent.sock"
        out "shop/proxy | shop/web | TCP 80"
        out "- 192.0.2.200 (outside) -\\> shop/web (10.1.1.2) tcp/80: ingress denied by NetworkPolicy shop/web"
        live_connections
        run 0 inventory --socket "$work/agent.sock"
        cp "$work/out" "$work/inventory.json"
        run 0 diff --live "$here/agent/now" --socket "$work/agent.sock"
        out "identical"
        sed -i 's/"defaultAction": "deny"/"defaultAction": "allow"/' "$work/answers/state.json"
        run 0 matrix --live --socket "$work/agent.sock"
        cp "$work/out" "$work/want"
        run 0 matrix -p "$here/agent/now" -i "$work/inventory.json"
        cmp -s "$work/want" "$work/out" || fail "$what: not what --live says"
        live_trouble
}

# What the agent says of open connections, and what it may say instead.
live_connections() {
        run 1 diff --live "$here/agent/new" -o json --socket "$work/agent.sock"
        python3 - "$work/out" <<'END' || fail "$what: connections"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["connectionsComplete"] is True
seen = [(c["src"], c["srcAddress"], c["dst"], c["service"], c["count"], c["old"], c["new"]) for c in d["connections"]]
assert seen == [("Lab/job", "10.1.2.2", "shop/web", "tcp/80", 1, "deny", "deny"),
                ("Lab/job", "10.1.2.2", None, "udp/53", 1, "deny", "deny"),
                ("shop/proxy", "10.1.1.3", "shop/web", "tcp/80", 2, "allow", "deny"),
                ("shop/proxy", "fd00:1::3", "shop/web", "tcp/80", 1, "allow", "deny"),
                (None, "192.0.2.200", "shop/web", "tcp/80", 1, "allow", "deny")], seen
rules = d["connections"][2]["rules"]
assert [(r["direction"], r["old"]["rule"], r["new"]["rule"]) for r in rules] == [("ingress", 0, None)], rules
END
        sed 's/"truncated": false/"truncated": true/' "$here/agent/connections.json" >"$work/answers/connections.json"
        run 1 diff --live "$here/agent/new" --socket "$work/agent.sock"
        out "more open connections than the agent tells"
        echo '{"connections": null, "error": "Operation not permitted"}' >"$work/answers/connections.json"
        run 1 diff --live "$here/agent/new" -o json --socket "$work/agent.sock"
        err "warning: the agent cannot read the open connections: Operation not permitted"
        out '"connections": null'
        for broken in '[7]' '[{"protocol": 300}]' '[{"protocol": 6, "original": {"src": "x"}, "reply": {"sport": 1}}]'; do
                echo "{\"connections\": $broken}" >"$work/answers/connections.json"
                run 2 diff --live "$here/agent/new" --socket "$work/agent.sock"
                err "a connection that is not understood"
                silent
        done
        cp "$here/agent/connections.json" "$work/answers"
}

# An agent of another version, or none.
live_trouble() {
        run 2 diff --live a b
        err "usage: vethwall diff [OPTION...] OLD NEW | --live NEW"
        run 2 diff --live
        err "usage: vethwall diff"
        run 2 diff --live nowhere.yaml --socket "$work/agent.sock"
        err "nowhere.yaml"
        run 2 explain --live -p policy.yaml shop/web shop/db tcp/80
        err "leave out -p and -i"
        run 2 explain -p policy.yaml -i inventory.yaml shop/web shop/db tcp/80 --socket "$work/agent.sock"
        err "only with --live"
        run 2 matrix --live=yes
        err "takes no value"
        for broken in '{}' '{"settings": {"defaultAction": "perhaps"}}' '{"settings": {"defaultAction": "allow",
                "hostTraffic": "allow", "unknownEndpoints": "deny", "interfaces": []}, "policies": [7]}'; do
                echo "$broken" >"$work/answers/state.json"
                run 2 matrix --live --socket "$work/agent.sock"
                err "of this version?"
                silent
        done
        sed 's/"kind": "Inventory"/"kind": "Outventory"/' "$here/agent/state.json" >"$work/answers/state.json"
        run 2 matrix --live --socket "$work/agent.sock"
        err "not understood here"
        err 'kind "Outventory" is not read here'
        sed 's/kind: NetworkPolicy/kind: NetPolicy/' "$here/agent/state.json" >"$work/answers/state.json"
        run 2 matrix --live --socket "$work/agent.sock"
        err "/etc/vethwall/policies/out.yaml:2"
        rm "$work/answers/state.json"
        run 2 matrix --live --socket "$work/agent.sock"
        err "status 404"
        run 2 matrix --live --socket "$work/none.sock"
        err "is vethwalld running?"
}

# The answer to a command, and that a name in it cannot drive the terminal.
agent_answers() {
        mkdir "$work/answers" && mkfifo "$work/to" "$work/from"
        cp "$here"/agent/*.json "$work/answers"
        python3 "$here/fake-agent.py" "$work/agent.sock" "$work/answers" <"$work/to" >"$work/from" &
        agent=$!
        exec 8>"$work/to" 9<"$work/from"
        read -r -t 20 -u 9 ready
        [ "${ready:-}" = ready ] || { fail "the stand-in does not start"; return; }

        for name in status endpoints policies counters; do
                run 0 "$name" --socket "$work/agent.sock"
                quiet
                if [ "${REGENERATE:-}" = 1 ]; then
                        cp "$work/out" "$here/agent/$name.txt"
                else
                        diff -u "$here/agent/$name.txt" "$work/out" || fail "$what: differs"
                fi
                ! LC_ALL=C grep -q $'[\001-\011\013-\037\177]' "$work/out" || fail "$what: a control character"
                run 0 -o json "$name" --socket "$work/agent.sock"
                python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1])) != json.load(open(sys.argv[2])))' \
                        "$work/out" "$here/agent/$name.json" || fail "$what: not what the agent said"
                ! LC_ALL=C grep -q $'[\001-\011\013-\037\177-\377]' "$work/out" || fail "$what: a control character"
        done

        count=$((count + 1))
        VETHWALL_SOCKET=$work/agent.sock "$vethwall" status >/dev/null || fail "VETHWALL_SOCKET is not heeded"

        live_answers

        rm "$work/answers/counters.json"
        run 2 counters --socket "$work/agent.sock"
        err "status 404"
        echo '[1]' >"$work/answers/counters.json"
        run 2 counters --socket "$work/agent.sock"
        err "not answer in JSON"
        printf '{"rules": [' >"$work/answers/counters.json"
        run 2 counters --socket "$work/agent.sock"
        err "not answer in JSON"
        silent
        echo '{"rules": [{"packets": "many"}, 7, null, {"rule": {}}]}' >"$work/answers/counters.json"
        run 0 counters --socket "$work/agent.sock"
        truncate -s 80M "$work/answers/counters.json"
        run 2 counters --socket "$work/agent.sock"
        err "too large"
}

no_agent() {
        for name in status endpoints policies counters; do
                run 2 "$name" --socket "$work/none.sock"
                err "is vethwalld running?"
                err "$work/none.sock"
                silent
        done
        run 2 inventory --socket "$work/none.sock"
        err "is vethwalld running?"
        run 2 status extra --socket "$work/none.sock"
        err "usage: vethwall status"
}

help_and_version
mistakes
flows
spellings
colour
no_agent
agent_answers

echo "$count runs, $failed failed"
[ "$failed" -eq 0 ]
