#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vethwall fmt: each file of fmt/ against what was reviewed (NAME.out, or NAME.err where it is refused), that what is
# formatted stays so and says the same, and the options.
#
#   fmt.sh VETHWALL        REGENERATE=1 in the environment rewrites the expected files, to be reviewed
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$here/../lib/lib.sh"
vethwall=$(realpath "$1")
cd "$TEST_TMP"

verb=fmt
# shellcheck source-path=SCRIPTDIR source=rewrite.sh
source "$here/rewrite.sh"

each "$here/fmt"

# The inputs of other tests: what is formatted decides as before.
same() {
        "$vethwall" fmt - <"$1/$2" >"formatted.${2##*.}"
        "$vethwall" fmt --check - <"formatted.${2##*.}"
        "$vethwall" diff -i "$1/inventory.yaml" "$1/$2" "formatted.${2##*.}"
}
for path in "$here"/cases/*/policy.*; do
        check "$(basename "$(dirname "$path")") decides the same" same "$(dirname "$path")" "$(basename "$path")"
done
rm formatted.*
cp "$here"/../../policies/examples/*.yaml .
check "the shipped policies" code 0 .
check "decide the same" "$vethwall" diff -i "$here/../../policies/inventory.yaml" "$here/../../policies/examples" .
check "and are formatted now" code 0 --check .
check "which says nothing" test ! -s out
rm -- *.yaml

# Options and files.
printf 'kind: Namespace\napiVersion: v1\nmetadata: { name: a }\n' >rough.yaml
printf 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n' >neat.yaml
printf 'kind: Namespace\napiVersion: v1\nmetadata: { nam: a }\n' >wrong.yaml
cp rough.yaml before.yaml
check "--check names what would change" code 1 --check rough.yaml neat.yaml
check "and nothing else" diff - out <<<rough.yaml
check "and writes nothing" cmp rough.yaml before.yaml
check "--diff shows it" code 1 --diff rough.yaml neat.yaml
check "as patch takes it" bash -c 'patch -s -o patched rough.yaml out && cmp patched neat.yaml'
check "in colour if asked" code 1 --diff --color always rough.yaml
check "which is seen" grep -q $'^\033\\[32m+metadata:\033\\[0m$' out
check "--check and --diff" code 1 --check --diff rough.yaml
check "name it first" diff - <(head -n 2 out) <<<$'rough.yaml\n--- rough.yaml'
check "nothing to change" code 0 --check --diff neat.yaml
chmod 640 rough.yaml
ln -s rough.yaml link.yaml
check "rewritten through a link" code 0 link.yaml neat.yaml
check "and named" diff - out <<<link.yaml
check "the link is one still" test -L link.yaml
check "the file is formatted" cmp rough.yaml neat.yaml
check "and keeps its mode" test "$(stat -c %a rough.yaml)" = 640
cp before.yaml rough.yaml
check "a file with mistakes is refused" code 2 wrong.yaml rough.yaml
check "with the loader's words" grep -q '^wrong.yaml:3:13: error: unknown field "nam"' err
check "and stays as it was" grep -q 'nam: a' wrong.yaml
check "the others are formatted" cmp rough.yaml neat.yaml
check "a file that is not there is trouble" code 2 nowhere.yaml
check "no file is trouble" code 2
check "standard input" bash -c '"$1" fmt - <before.yaml | cmp - neat.yaml' - "$vethwall"
check "standard input, checked" bash -c '[[ $("$1" fmt --check - <before.yaml) == "<stdin>" ]]' - "$vethwall"
check "an empty file stays empty" bash -c '[[ -z $("$1" fmt - </dev/null) ]]' - "$vethwall"
check "nothing is left behind" bash -c '[[ $(ls) != *.yaml.* ]]'
done_testing
