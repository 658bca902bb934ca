#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vethwall matrix in every form: each directory of matrix/ has policies and an inventory, and what was reviewed as matrix.txt,
# .dot, .svg, .csv and .json. svg-check.py looks for text on text in the pictures; dot, where it is, must take the graphs.
#
#   matrix.sh VETHWALL      REGENERATE=1 in the environment rewrites the expected files, to be reviewed
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$here/../lib/lib.sh"
vethwall=$(realpath "$1")
dot=$(command -v dot || true)
[[ -n $dot ]] || note "dot is not installed: its graphs are checked by graph-check.py alone"

# form NAME FORM ARG...: the matrix in one form, as NAME.FORM
form() {
        check "$1: $2" bash -c '"$1" matrix -o "$3" "${@:4}" >"$2"' - "$vethwall" "$TEST_TMP/$1.$2" "${@:2}"
}

# draw NAME ARG...: the forms for people
draw() {
        local name=$1 form

        for form in text dot svg; do
                form "$name" "$form" "${@:2}"
        done
        check "$name: the picture can be read" python3 "$here/svg-check.py" "$TEST_TMP/$name.svg"
        check "$name: the graph can be read" python3 "$here/graph-check.py" "$TEST_TMP/$name.dot"
        [[ -z $dot ]] || check "$name: dot takes the graph" "$dot" -Tsvg -o "$TEST_TMP/$name.dot.svg" "$TEST_TMP/$name.dot"
}

reviewed() {
        local expected=$here/matrix/$1/matrix.${2/text/txt}

        [[ -z ${REGENERATE:-} ]] || cp "$TEST_TMP/$1.$2" "$expected"
        check "$1: $2 is the reviewed one" diff -u "$expected" "$TEST_TMP/$1.$2"
}

for dir in "$here"/matrix/*/; do
        name=$(basename "$dir")
        files=(-p "$dir/policy.yaml" -i "$dir/inventory.yaml")
        draw "$name" "${files[@]}"
        form "$name" csv "${files[@]}"
        form "$name" json "${files[@]}"
        for kind in text dot svg csv json; do
                reviewed "$name" "$kind"
        done
done

# Twenty projects of five applications with ten replicas, and some endpoints that nothing closes.
python3 - "$TEST_TMP/many" <<'END'
import sys

apps = ["web", "api", "db", "cache", "worker"]
names = [(f"p{p:02}", f"{a}-{i}", a) for p in range(20) for a in apps for i in range(10)]
names += [("open", f"x-{i}", "x") for i in range(10)]
with open(sys.argv[1] + ".inventory", "w", encoding="utf-8") as out:
    out.write("apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n")
    for n, (ns, name, app) in enumerate(names, 2):
        out.write(f"- {{name: {name}, namespace: {ns}, labels: {{app: {app}, nr: '{n}'}}, "
                  f"addresses: [10.0.{n >> 8}.{n & 255}, 'fd00::{n:x}']}}\n")
rules = {
    "closed": "podSelector: {}, policyTypes: [Ingress, Egress]",
    "web": "podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}, {port: 443}]}]",
    "api": "podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], "
           "ports: [{port: 8080}]}]",
    "inside": "podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]",
}
with open(sys.argv[1] + ".yaml", "w", encoding="utf-8") as out:
    for p in range(20):
        for rule, spec in rules.items():
            out.write("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                      f"metadata: {{name: {rule}, namespace: p{p:02}}}\nspec: {{{spec}}}\n")
END
many=(-p "$TEST_TMP/many.yaml" -i "$TEST_TMP/many.inventory")
draw many "${many[@]}"
check "many: the list is as long as its groups" test "$(wc -l <"$TEST_TMP/many.text")" -lt 300
check "many: and says how to have all of it" grep -q '^1010 endpoints, shown as [0-9]*\. Every pair of them: -o csv' "$TEST_TMP/many.text"
check "many: one table for all that are the same" test "$(grep -c 'aria-label=' "$TEST_TMP/many.svg")" -lt 6

# One endpoint for each of many labels, all reached differently: a table too wide for one.
python3 - "$TEST_TMP/wide" <<'END'
import sys

with open(sys.argv[1] + ".inventory", "w", encoding="utf-8") as out:
    out.write("apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n")
    for n in range(40):
        out.write(f"- {{name: service-number-{n}, namespace: wide, labels: {{nr: '{n}'}}, addresses: [10.0.0.{n + 1}]}}\n")
with open(sys.argv[1] + ".yaml", "w", encoding="utf-8") as out:
    for n in range(40):
        ports = ", ".join(f"{{port: {8000 + 10 * i}}}" for i in range(n % 12 + 1))
        out.write("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                  f"metadata: {{name: p{n}, namespace: wide}}\nspec: {{podSelector: {{matchLabels: {{nr: '{n}'}}}}, "
                  f"ingress: [{{from: [{{podSelector: {{matchLabels: {{nr: '{(n + 1) % 40}'}}}}}}], ports: [{ports}]}}]}}\n")
END
draw wide -p "$TEST_TMP/wide.yaml" -i "$TEST_TMP/wide.inventory"

printf 'apiVersion: vethwall.io/v1\nkind: Inventory\n' >"$TEST_TMP/empty.inventory"
draw empty -p "$TEST_TMP/many.yaml" -i "$TEST_TMP/empty.inventory"
draw service "${many[@]}" tcp/80 udp/53
check "service: what was asked for" grep -q 'TCP 80<' "$TEST_TMP/service.svg"
check_not "service: and nothing else" grep -q 443 "$TEST_TMP/service.svg"
done_testing
