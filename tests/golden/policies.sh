#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The shipped policies: each one, with the shipped inventory, compiles to a ruleset that nft accepts and gives the matrix
# that was reviewed (policies/NAME.matrix here); and so do all of them together.
#
#   policies.sh VETHWALL        REGENERATE=1 in the environment rewrites the expected files, to be reviewed
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$here/../lib/lib.sh"
vethwall=$(realpath "$1")
cd "$here/../.."
export PATH=/usr/sbin:/sbin:$PATH

# one NAME PATH: NAME is the expected file's.
one() {
        local name=$1 path=$2 expected=$here/policies/$1.matrix

        "$vethwall" matrix -p "$path" -i policies/inventory.yaml --color never >"$TEST_TMP/$name.matrix" || true
        [[ -z ${REGENERATE:-} ]] || cp "$TEST_TMP/$name.matrix" "$expected"
        check "$name: the matrix is the reviewed one" diff -u "$expected" "$TEST_TMP/$name.matrix"
        check "$name: it compiles" "$vethwall" compile -p "$path" -i policies/inventory.yaml -o nft
        "$vethwall" compile -p "$path" -i policies/inventory.yaml >"$TEST_TMP/$name.nft" || true
        check "$name: the ruleset is not empty" grep -q '^table inet vethwall' "$TEST_TMP/$name.nft"
        check "$name: nft accepts it" unshare -rn nft -c -f "$TEST_TMP/$name.nft"
}

for path in policies/examples/*.yaml; do
        name=$(basename "$path" .yaml)
        one "$name" "$path"
        check "$name: lint has no warning" "$vethwall" lint "$path"
        check "$name: says what it does" grep -q '^# What it does$' "$path"
        check "$name: says what it leaves open" grep -q '^# What it leaves open$' "$path"
        check "$name: is in the list" grep -qF "(examples/$name.yaml)" policies/README.md
done
one all policies/examples

# The picture that README.md shows.
"$vethwall" matrix -p policies/examples/shop.yaml -i policies/inventory.yaml -o svg >"$TEST_TMP/shop.svg" || true
[[ -z ${REGENERATE:-} ]] || cp "$TEST_TMP/shop.svg" policies/shop.svg
check "shop: the picture is the shown one" diff -u policies/shop.svg "$TEST_TMP/shop.svg"
check "shop: README.md shows it" grep -qF '](policies/shop.svg)' README.md
done_testing
