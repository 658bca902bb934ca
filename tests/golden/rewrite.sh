# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the tests of the commands that rewrite policy files share, sourced after lib.sh. The command is in $verb, the program
# in $vethwall, and the working directory is the test's own.
: "${vethwall:?}" "${verb:?}"

# code WANT ARG...: the exit code; output in out, messages in err.
code() {
        local want=$1 got=0
        shift
        "$vethwall" "$verb" "$@" >out 2>err </dev/null || got=$?
        [[ $got == "$want" ]] || { echo "exit $got, not $want: $(cat out err)"; return 1; }
}

# one FILE: as it was reviewed, and once more nothing changes.
one() {
        local input=$1 expected=out got=0 base

        base=${input%.*}
        "$vethwall" "$verb" - <"$input" >out 2>err || got=$?
        [[ $got == 0 ]] || expected=err
        [[ -z ${REGENERATE:-} ]] || cp "$expected" "$base.$expected"
        diff -u "$base.$expected" "$expected"
        [[ $got == 0 ]] || { [[ $got == 2 && ! -s out ]]; return; }
        "$vethwall" "$verb" - <out >again
        cmp out again
}

# each DIRECTORY: every file of it.
each() {
        local input

        for input in "$1"/*.yaml "$1"/*.json; do
                check "$(basename "$input")" one "$input"
        done
}
