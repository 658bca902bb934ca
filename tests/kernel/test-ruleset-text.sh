#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test-ruleset-text.sh RANDOM_RULESET: what the core prints is what nft takes, a second time as well, and what nft then
# lists is the same again but for its line breaks, the counters' values and the order of elements.
set -euo pipefail
# shellcheck source=../lib/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/lib.sh"
export PATH=$PATH:/usr/sbin:/sbin

if [[ ${1:-} != --inside ]]; then
        unshare -rn true 2>/dev/null || { echo "no network namespace can be made here"; exit 77; }
        command -v nft >/dev/null || { echo "nft is not installed"; exit 77; }
        unshare -rn bash "${BASH_SOURCE[0]}" --inside "$1"
        exit
fi
random_ruleset=$2

# Everything but elements in its order, then the elements, each with its set, sorted; no counters' values; words apart by
# one blank.
normalise() {
        sed -E -e '/^(table [^{]*|delete .*)$/d' -e 's/counter packets 0 bytes 0/counter/g' "$1" |
                awk '/^\t(map|set|chain) / { name = $2 }
                     /elements = \{/ { inside = 1 }
                     !inside { print; next }
                     {
                             end = /\}$/
                             gsub(/elements = \{|\}$/, "")
                             n = split($0, parts, /,/)
                             for (i = 1; i <= n; i++) {
                                     sub(/ counter/, "", parts[i])
                                     gsub(/[ \t]+/, " ", parts[i])
                                     elements[++len] = "element " name " " parts[i]
                             }
                             if (end) inside = 0
                     }
                     END { for (i = 1; i <= len; i++) print elements[i] | "LC_ALL=C sort" }' |
                sed -E -e 's/[[:space:]]+/ /g' -e 's/^ //' -e 's/ $//' -e '/^(element [a-z0-9]*)?$/d'
}

try() {
        local text=$TEST_TMP/text list=$TEST_TMP/list

        "$random_ruleset" "$1" >"$text"
        nft -c -f "$text" || return
        nft -f "$text" || return
        # What is there is replaced, not added to.
        nft -f "$text" || return
        nft list ruleset >"$list"
        nft flush ruleset
        diff <(normalise "$text") <(normalise "$list") || return
        grep -q element <(normalise "$text")
}

for ((seed = 1; seed <= 40; seed++)); do
        if output=$(try "$seed" 2>&1); then
                pass "random ruleset $seed"
        else
                fail "random ruleset $seed" "$output"
        fi
done
done_testing
