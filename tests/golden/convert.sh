#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vethwall convert: each file of convert/ against what was reviewed (NAME.out, or NAME.err where it is refused), and files as
# a set.
#
#   convert.sh VETHWALL        REGENERATE=1 in the environment rewrites the expected files, to be reviewed
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$here/../lib/lib.sh"
vethwall=$(realpath "$1")
cd "$TEST_TMP"

verb=convert
# shellcheck source-path=SCRIPTDIR source=rewrite.sh
source "$here/rewrite.sh"

each "$here/convert"

old() {
        cat <<END
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: $1 }
spec: { priority: 1, subject: { namespaces: {} } } # $1
END
}

old a >a.yaml
old b >b.yaml
printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: c}' >c.yaml
cp c.yaml c.before
check "several files" code 0 .
check "are one stream" bash -c '[[ $(grep -c ^--- out) == 2 && $(grep -c "kind: ClusterNetworkPolicy" out) == 2 ]]'
check "that is read as such" bash -c '"$1" lint --fail-on error - <out' - "$vethwall"
check "and nothing is written" grep -q v1alpha1 a.yaml
{ old c; echo ---; sed 's/v1alpha1/v1alpha2/; s/AdminN/ClusterN/; s/priority/tier: Admin, priority/' <(old b); } >d.yaml
check "a name that another file has" code 2 --write .
check "is an error at its place" grep -q '^./b.yaml:3:19: error: AdminNetworkPolicy b cannot be converted:' err
check "and nothing is written" grep -q v1alpha1 a.yaml b.yaml d.yaml
rm d.yaml
check "--write" code 0 --write .
check "names what it wrote" diff - out <<<$'./a.yaml\n./b.yaml'
check "which is formatted" "$vethwall" fmt --check a.yaml b.yaml
check "and leaves the rest" cmp c.yaml c.before
check "a second time there is nothing to do" code 0 --write .
check "and nothing to say" test ! -s out
check "standard input is not written" code 2 --write -
check "mistakes are told" code 2 "$here/refused/001-podselectr.yaml"
check "no file is trouble" code 2
check "lint names the command" bash -c '"$1" lint - < <(cat "$2") | grep -q "vethwall convert"' - "$vethwall" \
        "$here/convert/001-everything.yaml"
done_testing
