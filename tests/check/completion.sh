#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The completion of a shell offers what the program has: every command, every option of each, its formats, rules, files and
# the running agent's endpoints; really completed by that shell.
#
#   completion.sh VETHWALL bash|zsh|fish
#
# Exit status 77 where the shell is not installed.
set -euo pipefail
export LC_ALL=C.UTF-8

shell=$2
if ! command -v "$shell" >/dev/null; then
        echo "1..0 # SKIP $shell is not installed"
        exit 77
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$here/../lib/lib.sh"
scripts=$(cd "$here/../../contrib/completion" && pwd)
mkdir "$TEST_TMP/bin" "$TEST_TMP/files" "$TEST_TMP/files/sub"
ln -s "$(realpath "$1")" "$TEST_TMP/bin/vethwall"
export PATH=$TEST_TMP/bin:$PATH VETHWALL_SOCKET=$TEST_TMP/agent.sock
cd "$TEST_TMP/files"
touch a.yaml b.yml c.json d.txt

# ask LINE: the candidates for the last word of the line, sorted. bash itself makes a word of each "=".
ask_bash() {
        bash --norc --noprofile -c '
                source "$1"
                compopt() { :; }
                line=$2
                read -ra COMP_WORDS <<<"${line//=/ = }"
                [[ $line != *[[:space:]=] ]] || COMP_WORDS+=("")
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                function=$(complete -p vethwall | sed "s/.*-F \([^ ]*\) .*/\1/")
                "$function"
                printf "%s\n" "${COMPREPLY[@]}"' - "$scripts/vethwall.bash" "$1"
}
# One zsh answers all: it takes its time to start.
start_zsh() {
        mkfifo "$TEST_TMP/lines" "$TEST_TMP/candidates"
        python3 "$here/completion-zsh.py" "$scripts" <"$TEST_TMP/lines" >"$TEST_TMP/candidates" 8>&- 9>&- &
        zsh=$!
        exec 6>"$TEST_TMP/lines" 7<"$TEST_TMP/candidates"
}
stop_zsh() {
        exec 6>&- 7<&-
        wait "$zsh"
        rm "$TEST_TMP/lines" "$TEST_TMP/candidates"
}
ask_zsh() {
        local candidate

        printf '%s\n' "$1" >&6
        while IFS= read -r -t 90 -u 7 candidate && [[ -n $candidate ]]; do
                printf '%s\n' "$candidate"
        done
}
ask_fish() {
        fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$scripts/vethwall.fish" "$1" | cut -f 1
}
ask() {
        "ask_$shell" "$1" | sed '/^$/d; s#^sub/$#sub#; s/^--output=//' | sort -u
}

# offers WANTED LINE: exactly these, whatever their order.
offers() {
        diff <(tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -u) <(ask "$2")
}

options_of() {
        vethwall "$@" --help | sed -n '/^Options:/,$p' | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'
}

if [[ $shell == zsh ]]; then
        start_zsh
        at_exit stop_zsh
fi
case $shell in
bash) check "bash takes it" bash -n "$scripts/vethwall.bash" ;;
zsh) check "zsh takes it" zsh -n "$scripts/_vethwall" ;;
fish) check "fish takes it" fish -n "$scripts/vethwall.fish" ;;
esac

commands=$(vethwall --help | awk '/^Commands:/ { on = 1; next } !/^  / { on = 0 } on { print $1 }')
check "the program has commands" test "$(wc -w <<<"$commands")" -gt 5
check "every command" offers "$commands help" "vethwall "
check "a part of one" offers "compile convert counters" "vethwall co"
check "every command, for help" offers "$commands" "vethwall help "
for command in $commands; do
        check "$command: its options" offers "$(options_of "$command")" "vethwall $command --"
        formats=$(vethwall "$command" --help | sed -n 's/.*--output FORMAT *//p' | tr -d ',')
        [[ -z $formats ]] || check "$command: its formats" offers "$formats" "vethwall $command -o "
done
check "a value behind =" offers "json" "vethwall lint --output=j"
check "colours" offers "always auto never" "vethwall lint --color "
check "an option before the command" offers "text json sarif github" "vethwall --color never lint -o "

# Which values there are is read from the help: what comes out must be what the program takes.
printf 'apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n' >a.yaml
cp a.yaml inventory.yml
printf 'apiVersion: vethwall.io/v1\nkind: Inventory\n' >inventory.yml
takes() {
        local values value

        values=$(ask "vethwall $1 --fail-on ")
        (($(wc -w <<<"$values") > 2)) || { echo "only: $values"; return 1; }
        for value in $values; do
                "${@:2}" --fail-on "$value"
        done
}
check "lint --fail-on" takes lint vethwall lint a.yaml
check "diff --fail-on" takes diff vethwall diff -i inventory.yml a.yaml a.yaml
rm inventory.yml
check "rules" offers "$(vethwall lint --explain all | grep -o '^VW3[0-9]*')" "vethwall lint --explain VW3"
check "and all of them" offers "all" "vethwall lint --explain a"

check "files" offers "a.yaml b.yml c.json sub" "vethwall lint "
check "a part of one's name" offers "b.yml" "vethwall fmt b"
check "a file for an option" offers "a.yaml b.yml c.json sub" "vethwall matrix -i "
check "the second of two" offers "a.yaml b.yml c.json sub" "vethwall diff -i a.yaml b.yml "
check "protocols" offers "tcp/" "vethwall matrix t"
check "no file where there is none" test -z "$(ask "vethwall status " | grep yaml)"

check "without an agent no endpoints" offers "" "vethwall explain "
mkfifo "$TEST_TMP/to" "$TEST_TMP/from"
python3 "$here/../golden/fake-agent.py" "$TEST_TMP/agent.sock" "$here/../golden/agent" <"$TEST_TMP/to" >"$TEST_TMP/from" 6>&- 7>&- &
agent=$!
stop_agent() {
        exec 8>&- 9<&-
        wait "$agent"
}
at_exit stop_agent
exec 8>"$TEST_TMP/to" 9<"$TEST_TMP/from"
read -r -t 20 -u 9
endpoints=$(vethwall endpoints | sed -n 's/^\([[:alnum:]._-]*\/[[:alnum:]._-]*\) .*/\1/p')
check "the agent has endpoints" test -n "$endpoints"
check "source" offers "$endpoints" "vethwall explain "
check "destination" offers "$endpoints" "vethwall explain --live a/b "
check "protocol" offers "icmp sctp/ tcp/ udp/" "vethwall explain --live a/b a/c "
unset VETHWALL_SOCKET
if [[ $shell == zsh ]]; then
        stop_zsh
        start_zsh
fi
check "of the socket that is named" offers "$endpoints" "vethwall explain --live --socket $TEST_TMP/agent.sock "
done_testing
