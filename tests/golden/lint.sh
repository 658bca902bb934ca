#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vethwall lint: exit codes, forms of output, and that the shipped examples have nothing to be warned of.
#
#   lint.sh VETHWALL
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$here/../lib/lib.sh"
vethwall=$(realpath "$1")
cd "$here/../.."
cd "$TEST_TMP"

# code WANT ARG...: the exit code; output in out, messages in err.
code() {
        local want=$1 got=0
        shift
        "$vethwall" lint "$@" >out 2>err </dev/null || got=$?
        [[ $got == "$want" ]] || { echo "exit $got, not $want: $(cat out err)"; return 1; }
}

policy() {
        cat <<END
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: $1, namespace: shop }
spec:
  podSelector: {}
  policyTypes: [Ingress]
END
}

policy clean >clean.yaml
{ policy notes; printf '  ingress:\n    - ports: [{ port: 80 }]\n'; } >notes.yaml
{ policy open; printf '  ingress:\n    - {}\n'; } >'a, b:c%.yaml'
{ policy wrong; printf '  ingres: []\n'; } >wrong.yaml

check "nothing to find" code 0 clean.yaml
check "and nothing said" test ! -s out
check "notes do not fail" code 0 notes.yaml
check "unless asked" code 1 --fail-on info notes.yaml
check "warnings fail" code 1 'a, b:c%.yaml'
check "unless asked" code 0 --fail-on=error 'a, b:c%.yaml'
check "errors fail" code 1 --fail-on error wrong.yaml
check "the text names rule and place" grep -q '^wrong.yaml:7:3: error: .*\[VW003\]$' out
check "unless nothing does" code 0 --fail-on never wrong.yaml
check "a file that is not there is trouble" code 2 --fail-on never clean.yaml nowhere.yaml
check "no file is trouble" code 2
check "an unknown severity is trouble" code 2 --fail-on fatal clean.yaml
check "an inventory that is none is trouble" code 2 -i clean.yaml clean.yaml
check "all of a directory" code 1 .
check "standard input" bash -c '"$1" lint - <notes.yaml | grep -q "^<stdin>:8:15: info:"' - "$vethwall"
check "standard input once" code 2 - -

check "json" code 1 -o json . --fail-on info
check "json is what it should be" python3 - <<'END'
import json
d = json.load(open("out"))
f = d["findings"]
assert d["counts"] == {"error": 1, "warning": 0, "info": 0} and d["notShown"] == 0, d
assert [(x["rule"], x["severity"], x["file"], x["line"], x["column"]) for x in f] == \
    [("VW003", "error", "./wrong.yaml", 7, 3)], f
END
check "github" code 1 -o github 'a, b:c%.yaml'
check "github is what it should be" grep -qF \
        '::warning file=a%2C b%3Ac%25.yaml,line=8,endLine=8,col=7,endColumn=9,title=VW214::the rule allows' out
check "sarif" code 1 -o sarif 'a, b:c%.yaml' notes.yaml
check "sarif is what it should be" python3 - <<'END'
import json
d = json.load(open("out"))
assert d["version"] == "2.1.0" and len(d["runs"]) == 1
run = d["runs"][0]
driver = run["tool"]["driver"]
assert driver["name"] == "vethwall"
ids = [r["id"] for r in driver["rules"]]
assert len(ids) == len(set(ids)) > 20
assert run["results"]
for r in run["results"]:
    assert ids[r["ruleIndex"]] == r["ruleId"] and r["message"]["text"]
    assert r["level"] in ("error", "warning", "note")
    for place in r["locations"]:
        p = place["physicalLocation"]
        assert p["artifactLocation"]["uri"] in ("a%2C%20b%3Ac%25.yaml", "notes.yaml")
        assert 0 < p["region"]["startColumn"] < p["region"]["endColumn"]
END
check "equal input, equal bytes" bash -c 'cp out before && "$1" lint -o sarif "a, b:c%.yaml" notes.yaml | cmp - before' \
        - "$vethwall"

check "--explain tells of a rule" code 0 --explain VW214
check "with its examples" grep -q '^    kind: NetworkPolicy$' out
check "--explain all lists the rules" code 0 --explain all
check "every listed rule is told of" bash -c \
        'sed 1d out | cut -d" " -f1 | while read -r id; do "$1" lint --explain "$id" | grep -q "^$id (" || exit 1; done' \
        - "$vethwall"
check "an unknown rule is trouble" code 2 --explain VW000

cd "$here/../.."
for path in policies/examples/*.yaml policies/examples; do
        check "$path" "$vethwall" lint "$path"
        check "$path, with the inventory" "$vethwall" lint -i policies/inventory.yaml "$path"
done
done_testing
