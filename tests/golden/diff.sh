#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vethwall diff: diff.sh VETHWALL. In each directory of diff/, old.yaml and new.yaml, judged with inventory.yaml, if it is
# there (old.yaml with old-inventory.yaml, where that is there), give text.txt, diff.json and diff.md. REGENERATE=1 rewrites what is expected;
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
                files=()
                [ ! -e inventory.yaml ] || files=(-i inventory.yaml)
                [ ! -e old-inventory.yaml ] || files=(-i old-inventory.yaml -i inventory.yaml)
                run "$([ "$(basename "$dir")" = reformatted ] && echo 0 || echo 1)" "${files[@]}" old.yaml new.yaml
                check text.txt
                "$vethwall" diff "${files[@]}" -o json old.yaml new.yaml >"$work/out"
                check diff.json
                python3 -m json.tool <"$work/out" >/dev/null || fail "$what: not JSON"
                "$vethwall" diff "${files[@]}" -o markdown old.yaml new.yaml >"$work/out"
                check diff.md
                run 0 "${files[@]:0:2}" old.yaml old.yaml
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

# What touches nobody who is there is told apart from what touches nobody at all.
latent() {
        cd "$here/diff/latent" || exit 1
        run 1 -i inventory.yaml old.yaml new.yaml --fail-on latent
        out "no flow of the present containers changed, "
        run 0 -i inventory.yaml old.yaml new.yaml --fail-on widen
        run 0 -i inventory.yaml old.yaml new.yaml --fail-on narrow
        run 1 -i inventory.yaml old.yaml new.yaml --fail-on any
        cd "$here/diff/rule" || exit 1
        run 0 -i inventory.yaml old.yaml new.yaml --fail-on latent
        run 1 old.yaml new.yaml --fail-on latent
        cd "$here/diff/reformatted" || exit 1
        run 0 old.yaml new.yaml
        out "text changed, no flow changed"
        # Eleven keys of which each may be there or not are two thousand kinds of containers.
        for side in old new; do
                for key in a b c d e f g h i j k; do
                        printf -- '---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: %s }\n' $key
                        printf 'spec: { podSelector: { matchLabels: { %s: x } }, ingress: [{ ports: [{ port: %s }] }] }\n' \
                                $key "$([ $side = old ] && echo 80 || echo 81)"
                done >"$work/$side-many.yaml"
        done
        run 1 "$work/old-many.yaml" "$work/new-many.yaml" --fail-on latent
        out "too many kinds of future containers"
        run 1 "$work/old-many.yaml" "$work/new-many.yaml" -o json
        out '"latentComplete": false'
}

# The same input gives the same bytes, in whatever order it comes.
deterministic() {
        local format
        cd "$here/diff/rule" || exit 1
        mkdir "$work/one" "$work/two"
        cp new.yaml "$work/one/a.yaml"
        cp "$here/diff/outside/new.yaml" "$work/one/b.yaml"
        cp new.yaml "$work/two/z.yaml"
        cp "$here/diff/outside/new.yaml" "$work/two/b.yaml"
        { head -n 4 inventory.yaml && sed -n '5,$p' inventory.yaml | tac; } >"$work/tac.yaml"
        for format in text json markdown; do
                run 1 -i inventory.yaml old.yaml "$work/one" -o $format
                cp "$work/out" "$work/first"
                run 1 -i inventory.yaml old.yaml "$work/one" -o $format
                cmp -s "$work/first" "$work/out" || fail "$what: another result the second time"
                run 1 -i "$work/tac.yaml" old.yaml "$work/two" -o $format
                sed "s,$work/two/z.yaml,$work/one/a.yaml,g; s,$work/two/b,$work/one/b,g" "$work/out" |
                        cmp -s "$work/first" - || fail "$what: the order of the files makes a difference"
        done
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
        run 2 -i inventory.yaml old.yaml
        err "usage: vethwall diff [OPTION...] OLD NEW"
        run 2 -i inventory.yaml old.yaml new.yaml --fail-on never
        err "widen, narrow, latent or any"
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
latent
deterministic
unchanged
mistakes

echo "$count runs, $failed failed"
[ "$failed" -eq 0 ]
