#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# README.md shows what the command line really says: each "$ vethwall ..." in it that needs no agent is run, and its output
# compared with what stands below it.
#
#   readme.sh VETHWALL
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$here/../lib/lib.sh"
vethwall=$(realpath "$1")
cd "$here/../.."

# The indented lines below a command, to the next command or text.
shown_below() {
        awk -v command="    \$ $1" '
                $0 == command { found = 1; next }
                found && (/^    \$ / || /^[^ ]/) { exit }
                found { sub(/^    /, ""); print }' README.md | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

mapfile -t commands < <(sed -n 's/^    \$ \(vethwall .*\)$/\1/p' README.md)
check "there are commands to run" test "${#commands[@]}" -gt 1
for command in "${commands[@]}"; do
        read -ra words <<<"$command"
        "$vethwall" "${words[@]:1}" >"$TEST_TMP/said" 2>&1 || true
        shown_below "$command" >"$TEST_TMP/shown"
        check "$command" diff -u "$TEST_TMP/shown" "$TEST_TMP/said"
done
done_testing
