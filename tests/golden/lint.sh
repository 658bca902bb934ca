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
check "sarif is what the standard wants" python3 "$here/sarif.py" out
check "sarif is what it should be" python3 - <<'END'
import json
results = json.load(open("out"))["runs"][0]["results"]
assert [r["level"] for r in results if r["ruleId"] == "VW214"] == ["warning"], results
for r in results:
    p = r["locations"][0]["physicalLocation"]
    assert p["artifactLocation"]["uri"] in ("a%2C%20b%3Ac%25.yaml", "notes.yaml"), p
    assert p["region"]["startLine"] > 0 and r["suppressions"] == [], r
END
check "equal input, equal bytes" bash -c 'cp out before && "$1" lint -o sarif "a, b:c%.yaml" notes.yaml | cmp - before' \
        - "$vethwall"

# What the files say is to be left out, and what else a finding speaks of.
mkdir ignore
{ policy meant; printf '  ingress:\n    - {} # vethwall: ignore[VW214] open to "all"\n'; } >ignore/meant.yaml
{ policy other; printf '  ingress:\n    - {}\n'; } >ignore/other.yaml
check "what is suppressed does not fail" code 0 --fail-on info ignore/meant.yaml
check "and is counted" bash -c '[[ $(cat out) == "1 suppressed" ]]'
check "it is so in its file alone" code 1 ignore
check "the rest is told" bash -c '[[ $(grep -c "\[VW214\]\$" out) == 1 && $(tail -n 1 out) == "1 warning, 1 suppressed" ]]'
check "json has it not, but for the number" code 1 -o json ignore
check "the number" python3 - <<'END'
import json
d = json.load(open("out"))
assert [f["file"] for f in d["findings"]] == ["ignore/other.yaml"] and d["suppressed"] == 1, d
END
check "github has it not" code 0 -o github ignore/meant.yaml
check "nothing is there" test ! -s out
check "sarif has it" code 1 -o sarif ignore
check "as the standard wants it" python3 "$here/sarif.py" out
check "with the reason" python3 - <<'END'
import json
results = json.load(open("out"))["runs"][0]["results"]
assert [r["suppressions"] for r in results] == \
    [[], [{"kind": "inSource", "status": "accepted", "justification": 'open to "all"'}]], results
END
cat >pods.yaml <<'END'
apiVersion: vethwall.io/v1
kind: Inventory
endpoints: [{ name: web, namespace: shop, addresses: [192.0.2.1] }]
END
check "what decides in a rule's stead" code 1 -i pods.yaml ignore/other.yaml notes.yaml
check "is a note with a line" bash -c 'grep -A1 "^ignore/other.yaml:8:7: note: " out | grep -qF "8 |     - {}"'
check "in json" code 1 -o json -i pods.yaml ignore/other.yaml notes.yaml
check "it is related" python3 - <<'END'
import json
f = [f for f in json.load(open("out"))["findings"] if f["rule"] == "VW303"]
assert [(r["file"], r["line"], r["column"], r["endColumn"]) for x in f for r in x["related"]] == \
    [("ignore/other.yaml", 3, 19, 24), ("ignore/other.yaml", 8, 7, 9)], f
END
check "in sarif" code 1 -o sarif -i pods.yaml ignore/other.yaml notes.yaml
check "as the standard wants it" python3 "$here/sarif.py" out
check "it is a related location" grep -q '"relatedLocations": \[{"id": 1, "physicalLocation":' out
check "for a terminal there is colour" bash -c '"$1" lint --color always notes.yaml | grep -q "$(printf "\033")\[1;36minfo: "' - \
        "$vethwall"
check "for none there is not" bash -c '! "$1" lint notes.yaml | grep -q "$(printf "\033")"' - "$vethwall"

check "--explain tells of a rule" code 0 --explain VW214
check "with its examples" grep -q '^    kind: NetworkPolicy$' out
check "--explain all lists the rules" code 0 --explain all
check "every listed rule is told of" bash -c \
        'sed 1d out | cut -d" " -f1 | while read -r id; do "$1" lint --explain "$id" | grep -q "^$id (" || exit 1; done' \
        - "$vethwall"
check "an unknown rule is trouble" code 2 --explain VW000

cd "$here/../.."
# The policies that README.md begins with, as they would be saved.
sed -n "/^    sudo tee .*policies/,/^    END/p" README.md | sed '1d; /^    END/d; s/^    //' >"$TEST_TMP/readme.yaml"
check "there are policies in README.md" grep -q '^kind: NetworkPolicy$' "$TEST_TMP/readme.yaml"
check "they are clean" "$vethwall" lint "$TEST_TMP/readme.yaml"
for path in policies/examples/*.yaml policies/examples; do
        check "$path" "$vethwall" lint "$path"
        check "$path, with the inventory" "$vethwall" lint -i policies/inventory.yaml "$path"
done
done_testing
