#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The section "A first policy" of README.md, done as it stands there: its blocks are run, and what a "$ command" prints is
# compared with the lines below it. Names of interfaces, which are never the same, are masked.
set -euo pipefail
# shellcheck source=host.sh
source "$(dirname "${BASH_SOURCE[0]}")/host.sh"

# /etc/vethwall is this host's own.
mkdir /run/etc /run/etc.work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc.work /etc
mkdir -p /etc/vethwall/policies
docker tag vw busybox
mkdir "$TEST_TMP/bin"
ln -s "$VETHWALLD" "$VETHWALL" "$TEST_TMP/bin/"
PATH=$TEST_TMP/bin:$PATH
sudo() {
        "$@"
}

vethwalld >"$TEST_TMP/agent.log" 2>&1 &
agent_pid=$!
wait_for 20 is_ready || bail_out "the agent did not become ready"

# The section's indented blocks, one a file, in order: N.run is a block without "$", N.shown one with.
mkdir "$TEST_TMP/blocks"
awk -v dir="$TEST_TMP/blocks" '
        /^## / { inside = $0 == "## A first policy"; next }
        !inside { next }
        /^    / || (file && /^$/) {
                if (!file)
                        file = sprintf("%s/%02d.%s", dir, ++count, /^    \$ / ? "shown" : "run")
                sub(/^    /, "")
                print > file
                next
        }
        { file = "" }' "$docker_dir/../../README.md"

mask() {
        sed -E 's/veth[0-9a-f]{7}/vethXXXXXXX/'
}

# Runs the commands of a block and prints it as it should stand in the README.
replay() {
        local line

        while IFS= read -r line; do
                if [[ $line == '$ '* ]]; then
                        echo "$line"
                        eval "${line#\$ }" 2>&1 </dev/null
                elif [[ -z $line ]]; then
                        echo
                fi
        done <"$1"
}

as_shown() {
        replay "$1" | mask | diff -u <(mask <"$1") -
}

check "there are blocks to run" test "$(find "$TEST_TMP/blocks" -type f | lines)" -ge 4
for block in "$TEST_TMP"/blocks/*; do
        case $block in
        *.run)
                # shellcheck source=/dev/null
                check "$(head -n 1 "$block") ..." source "$block"
                ;;
        *.shown) check_soon "$(head -n 1 "$block") ..." 5 as_shown "$block" ;;
        esac
done

# And what is said of cleaning up.
cleanup=$(sed -n 's/.*To clean up: `\(.*\)`\./\1/p' "$docker_dir/../../README.md")
check "$cleanup" eval "$cleanup"
check_eq "no container is left" "" "$(docker ps -aq)"
check_agent_stops
check "teardown" vethwalld --teardown
done_testing
