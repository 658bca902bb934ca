#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vethwall diff: diff.sh VETHWALL. In each directory of diff/, old.yaml and new.yaml, judged with inventory.yaml (old.yaml
# with old-inventory.yaml, where it is there), give text.txt, diff.json and diff.md. REGENERATE=1 rewrites what is expected;
# the difference is then reviewed like code. Then the command line: options, exit codes, what is said of unchanged flows.
set -u

vethwall=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
count=0

fail() {
        echo "FAIL $*"
        failed=$((failed + 1))
}

# run CODE ARG...: output is then in $work/out, messages in $work/err.
run() {
        local want=$1 got
        shift
        what="vethwall diff $*"
        count=$((count + 1))
        "$vethwall" diff "$@" >"$work/out" 2>"$work/err" </dev/null
        got=$?
        [ "$got" -eq "$want" ] || fail "$what: exit $got, not $want: $(cat "$work/err")"
}

out() { grep -qF -- "$1" "$work/out" || fail "$what: no '$1' in: $(cat "$work/out")"; }
err() { grep -qF -- "$1" "$work/err" || fail "$what: no '$1' in: $(cat "$work/err")"; }

check() {
        if [ "${REGENERATE:-}" = 1 ]; then
                cp "$work/out" "$1"
        else
                diff -u "$1" "$work/out" || fail "$PWD/$1: differs"
        fi
}

golden() {
        local dir files
        for dir in "$here"/diff/*/; do
                cd "$dir" || exit 1
                files=(-i inventory.yaml)
                [ ! -e old-inventory.yaml ] || files=(-i old-inventory.yaml -i inventory.yaml)
                run "$([ "$(basename "$dir")" = reformatted ] && echo 0 || echo 1)" "${files[@]}" old.yaml new.yaml
                check text.txt
                "$vethwall" diff "${files[@]}" -o json old.yaml new.yaml >"$work/out"
                check diff.json
                python3 -m json.tool <"$work/out" >/dev/null || fail "$what: not JSON"
                "$vethwall" diff "${files[@]}" -o markdown old.yaml new.yaml >"$work/out"
                check diff.md
                run 0 -i inventory.yaml old.yaml old.yaml
                out "identical: neither text nor flows changed"
        done
}

# Which changes make the exit code 1: a pair that lost connections and another that got some, and either alone.
exit_codes() {
        cd "$here/diff/rule" || exit 1
        run 1 -i inventory.yaml old.yaml new.yaml --fail-on widen
        run 1 -i inventory.yaml old.yaml new.yaml --fail-on=narrow
        printf 'apiVersion: v1\nkind: List\nitems: []\n' >"$work/none.yaml"
        run 1 -i inventory.yaml old.yaml "$work/none.yaml" --fail-on widen
        run 0 -i inventory.yaml old.yaml "$work/none.yaml" --fail-on narrow
        out " widened"
        run 0 -i inventory.yaml "$work/none.yaml" old.yaml --fail-on widen
        run 1 -i inventory.yaml "$work/none.yaml" old.yaml --fail-on narrow
        out " narrowed"
        run 1 -i inventory.yaml "$work/none.yaml" old.yaml --fail-on any
}

unchanged() {
        cd "$here/diff/reformatted" || exit 1
        run 0 -i inventory.yaml old.yaml new.yaml
        out "text changed, no flow changed"
        run 0 -i inventory.yaml old.yaml new.yaml -o markdown
        out "### Network policy: text changed, no flow changed"
        mkdir "$work/old" "$work/new"
        cp old.yaml "$work/old/a.yaml"
        cp old.yaml "$work/new/b.yaml"
        run 0 -i inventory.yaml "$work/old" "$work/new"
        out "identical"
        count=$((count + 1))
        "$vethwall" diff -i inventory.yaml old.yaml - <new.yaml >"$work/out" || fail "new from standard input"
        [ "$(cat "$work/out")" = "no flow changed" ] || fail "standard input: $(cat "$work/out")"
        count=$((count + 1))
        "$vethwall" diff -i inventory.yaml old.yaml - -o json <new.yaml | grep -qF '"textChanged": null' ||
                fail "what standard input changed is not known"
}

mistakes() {
        cd "$here/diff/rule" || exit 1
        run 2 old.yaml new.yaml
        err "-i FILE"
        run 2 -i inventory.yaml old.yaml
        err "usage: vethwall diff [OPTION...] OLD NEW"
        run 2 -i inventory.yaml old.yaml new.yaml --fail-on latent
        err "widen, narrow or any"
        run 2 -i inventory.yaml -i inventory.yaml -i inventory.yaml old.yaml new.yaml
        err "the old and the new"
        run 2 -i inventory.yaml - -
        err "only once"
        run 2 -i - old.yaml -
        err "only once"
        run 2 -i inventory.yaml old.yaml nowhere.yaml
        err "nowhere.yaml"
        run 2 -i inventory.yaml old.yaml new.yaml -o csv
        err "text, json, markdown"
        run 2 -i inventory.yaml old.yaml new.yaml -p old.yaml
        err "diff takes no option --policy"
        mkdir "$work/empty"
        run 1 -i inventory.yaml old.yaml "$work/empty"
        err "warning: there is no policy file in $work/empty"
        run 1 -i inventory.yaml old.yaml new.yaml --color always
        out $'\033[32m'
        run 1 -i inventory.yaml old.yaml new.yaml
        ! grep -q $'\033' "$work/out" || fail "colour where none is wanted"
}

golden
exit_codes
unchanged
mistakes

echo "$count runs, $failed failed"
[ "$failed" -eq 0 ]
