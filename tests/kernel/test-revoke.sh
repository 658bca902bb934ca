#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A change cuts what is open: real exchanges of TCP and UDP, in both families and by a published port, with bytes going
# both ways all the time. Those that the change denies get nothing more through, those still allowed miss nothing.
#
#   test-revoke.sh VETHWALLD VETHWALL PROBE
set -euo pipefail
# shellcheck source=agent-lab.sh
source "$(dirname "${BASH_SOURCE[0]}")/agent-lab.sh"

bridge br-a 1
bridge br-b 2
endpoint web br-a 1 2
endpoint client br-a 1 3
endpoint evil br-a 1 4
endpoint other br-b 2 2
inventory web client evil other
config

# The two ends of an exchange. The server of TCP speaks of itself, every 10 ms, and takes what it is sent; the one of UDP
# answers. Either writes how many bytes it got into a file, by the client's name.
cat >"$TEST_TMP/talk" <<'END'
import os, select, socket, sys, threading, time

def count(directory, name, n):
    with open(directory + "/new." + name, "w") as f:
        f.write(str(n))
    os.rename(directory + "/new." + name, directory + "/" + name)

def talk_tcp(s, directory, name, greet):
    s.setblocking(False)
    out = greet
    got = 0
    while True:
        select.select([s], [], [], 0.01)
        try:
            data = s.recv(65536)
            if not data:
                return
            if name is None:
                name = data.split(b"\n")[0].decode() + ".server"
            got += len(data)
        except BlockingIOError:
            pass
        except OSError:
            return
        try:
            out = out[s.send(out):] + b"x" if out else b"x"
        except BlockingIOError:
            pass
        except OSError:
            return
        if name:
            count(directory, name, got)

def answer_udp(udp):
    while True:
        data, who = udp.recvfrom(100)
        udp.sendto(data, who)

def serve(directory):
    tcp = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind(("::", 7000))
    tcp.listen(16)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.bind(("::", 7000))
    threading.Thread(target=answer_udp, args=[udp]).start()
    while True:
        s, who = tcp.accept()
        threading.Thread(target=talk_tcp, args=[s, directory, None, b"x"]).start()

def client(directory, name, kind, addr, port):
    while kind == "tcp":
        try:
            s = socket.create_connection((addr, port), 1)
            break
        except OSError:
            time.sleep(0.05)
    if kind == "tcp":
        return talk_tcp(s, directory, name + ".client", name.encode() + b"\n")
    s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((addr, port))
    s.settimeout(0.2)
    got = sent = 0
    while True:
        try:
            s.send(b"%d" % sent)
            sent += 1
            while s.recv(100) != b"%d" % (sent - 1):
                pass
            got += 1
        except OSError:
            pass
        count(directory, name + ".client", got)
        count(directory, name + ".lost", sent - got)
        time.sleep(0.01)

if sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    client(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5], int(sys.argv[6]))
END
mkdir "$TEST_TMP/got"
talkers=()
hush() {
        kill "${talkers[@]}" 2>/dev/null || true
        wait "${talkers[@]}" 2>/dev/null || true
}
at_exit hush
ip netns exec web python3 "$TEST_TMP/talk" serve "$TEST_TMP/got" &
talkers+=($!)

got() {
        cat "$TEST_TMP/got/$1" 2>/dev/null || echo 0
}

# hold NAME FROM KIND ADDRESS PORT
hold() {
        ip netns exec "$2" python3 "$TEST_TMP/talk" client "$TEST_TMP/got" "$1" "$3" "$4" "$5" &
        talkers+=($!)
        check_soon "it goes both ways: $1" 10 moves "$1"
}

# moves NAME: within a second, more bytes come to both ends (of UDP: are answered).
moves() {
        local end

        for end in "$TEST_TMP/got/$1".client "$TEST_TMP/got/$1".server; do
                [[ $end == */udp*.server ]] && continue
                end=${end##*/}
                wait_for 2 more "$end" "$(got "$end")" || return
        done
}
more() {
        (($(got "$1") > $2 + 3))
}

# still NAME: nothing comes to either end for a second.
still() {
        local before

        before="$(got "$1.client") $(got "$1.server")"
        ! wait_for 1 another "$1" "$before"
}
another() {
        [[ "$(got "$1.client") $(got "$1.server")" != "$2" ]]
}

# open_from ADDRESS: how many are open from there to port 7000.
open_from() {
        query connections "len([c for c in d['connections'] if c['original']['src'] == '$1' and c['reply']['sport'] == 7000])"
}
cut_as() {
        value vethwall_revoked_connections_total "reason=\"$1\""
}

nft -f - <<'END'
table ip published {
        chain prerouting {
                type nat hook prerouting priority dstnat
                ip daddr 10.1.2.1 tcp dport 7070 dnat to 10.1.1.2:7000
        }
}
END
live_policy client evil other
agent_start

# a policy that is tightened

denied_ones=(tcp4-evil tcp6-evil udp4-evil udp6-evil published-other)
allowed_ones=(tcp4-client tcp6-client udp4-client udp6-client)
for who in client evil; do
        for kind in tcp udp; do
                hold "${kind}4-$who" "$who" "$kind" 10.1.1.2 7000
                hold "${kind}6-$who" "$who" "$kind" fd00:1::2 7000
        done
done
hold published-other other tcp 10.1.2.1 7070
check_eq "nothing was cut" 0 "$(cut_as denied)"
declare -A lost
for name in udp4-client udp6-client; do lost[$name]=$(got "$name.lost"); done

live_policy client
for name in "${denied_ones[@]}"; do
        check_soon "gets nothing more through: $name" 5 still "$name"
done
for name in "${allowed_ones[@]}"; do
        check "goes on: $name" moves "$name"
done
for name in udp4-client udp6-client; do
        check "misses nothing: $name" test "$(($(got "$name.lost") - lost[$name]))" -le 1
done
for name in "${denied_ones[@]}"; do
        check "and none comes back: $name" still "$name"
done
check_eq "they are counted" 5 "$(cut_as denied)"
check_eq "none is left of evil's" "0 0" "$(open_from 10.1.1.4) $(open_from fd00:1::4)"
check_eq "none is left of the published port's" 0 "$(open_from 10.1.2.2)"
check_eq "the others are" "2 2" "$(open_from 10.1.1.3) $(open_from fd00:1::3)"
check_match "the status tells" 'Cut: +5 denied, 0 released, 0 failed' "$("$vethwall" status)"
check_eq "without a failure" 0 "$(value vethwall_revocation_failures_total)"

# what an earlier agent let through

check_stops
live_policy other
agent_start
check_soon "the first pass cuts: tcp" 5 still tcp4-client
check_soon "the first pass cuts: udp" 5 still udp6-client
check_eq "they are counted from the start" 4 "$(cut_as denied)"

# labels, and addresses that are given back

hold tcp4-other other tcp 10.1.1.2 7000
hold udp4-other other udp 10.1.1.2 7000
inventory web client evil other
sed -i 's/app: other/app: another/' "$TEST_TMP/inventory.yaml"
check_soon "a label that changes cuts: tcp" 5 still tcp4-other
check_soon "a label that changes cuts: udp" 5 still udp4-other
check_eq "and is counted" 6 "$(cut_as denied)"
inventory web client evil other
hold tcp4-again other tcp 10.1.1.2 7000
inventory web client evil
released() {
        ((${1:-0} < $(cut_as released)))
}
check_soon "what belonged to an address goes with it" 5 released 0
check_soon "and passes nothing more" 5 still tcp4-again
check_stops
check "the rules are removed" "$vethwalld" -c "$TEST_TMP/config.yaml" --teardown
done_testing
