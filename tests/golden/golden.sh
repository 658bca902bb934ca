#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Golden cases: golden.sh VETHWALL [CASE...]. In each directory of cases/, policy.yaml (or .json) and inventory.yaml
# give ruleset.txt (compile), matrix.txt and matrix.json; every line of "commands" is run with the same files, and its
# output, errors and exit code are transcript.txt. Where nft is there and may be asked in a namespace of its own, it
# must take every ruleset. REGENERATE=1 rewrites what is expected; the difference is then reviewed like code.
set -u

vethwall=$(realpath "$1")
shift
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
count=0

# One expected file: check FILE GOT.
check() {
        if [ "${REGENERATE:-}" = 1 ]; then
                cp "$2" "$1"
        elif ! diff -u "$1" "$2"; then
                echo "FAIL $PWD/$1"
                failed=$((failed + 1))
        fi
}

transcript() {
        local line status words
        while IFS= read -r line; do
                [ -n "$line" ] || continue
                read -ra words <<<"$line"
                echo "\$ vethwall $line"
                "$vethwall" "${words[@]}" "${files[@]}" 2>&1
                status=$?
                [ "$status" -eq 0 ] || echo "exit $status"
                echo
        done <commands
}

run_case() {
        local policy=policy.yaml form
        [ -e policy.json ] && policy=policy.json
        files=(-p "$policy" -i inventory.yaml)

        "$vethwall" compile "${files[@]}" >"$work/ruleset.txt" 2>"$work/err" || { cat "$work/err"; failed=$((failed + 1)); }
        check ruleset.txt "$work/ruleset.txt"
        for form in text json; do
                "$vethwall" matrix "${files[@]}" -o "$form" >"$work/matrix" 2>"$work/err" ||
                        { cat "$work/err"; failed=$((failed + 1)); }
                check "matrix.${form/text/txt}" "$work/matrix"
        done
        if [ -e commands ]; then
                transcript >"$work/transcript.txt"
                check transcript.txt "$work/transcript.txt"
        fi
        if [ "$nft" = yes ] && ! unshare -Urn nft -c -f "$work/ruleset.txt"; then
                echo "FAIL $PWD/ruleset.txt: nft does not take it"
                failed=$((failed + 1))
        fi
}

nft=no
if printf 'table inet probe {\n}\n' >"$work/probe" && unshare -Urn nft -c -f "$work/probe" 2>/dev/null; then
        nft=yes
else
        echo "nft cannot be asked here: the rulesets are compared, and not checked by it"
fi

[ $# -gt 0 ] || set -- "$here"/cases/*/
for dir in "$@"; do
        cd "$dir" || exit 1
        run_case
        count=$((count + 1))
done

echo "$count cases, $failed failed"
[ "$failed" -eq 0 ] && [ "$count" -gt 0 ]
