# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a test script needs, sourced: checks that are counted and reported as TAP, polling with a deadline, and cleanup on
# every path. Each check goes on after a failure; the script ends with `done_testing`.

test_count=0
test_failures=0
test_cleanups=()
TEST_TMP=$(mktemp -d)

# Runs a command line when the script ends, however it ends; the last given runs first.
at_exit() {
        test_cleanups+=("$1")
}

test_exit() {
        local status=$? i

        trap - EXIT
        set +e
        for ((i = ${#test_cleanups[@]} - 1; i >= 0; i--)); do
                eval "${test_cleanups[i]}"
        done
        rm -rf "$TEST_TMP"
        exit "$status"
}
trap test_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

note() {
        printf '%s\n' "$@" | sed 's/^/# /'
}

pass() {
        test_count=$((test_count + 1))
        echo "ok $test_count - $1"
}

# fail NAME [DETAIL...]
fail() {
        test_count=$((test_count + 1))
        test_failures=$((test_failures + 1))
        echo "not ok $test_count - $1"
        shift
        [[ $# == 0 ]] || note "$@"
}

# check NAME COMMAND...: passes if the command succeeds.
check() {
        local name=$1 output

        shift
        if output=$("$@" 2>&1); then
                pass "$name"
        else
                fail "$name" "status $? of: $*" "$output"
        fi
}

# check_not NAME COMMAND...: passes if the command fails.
check_not() {
        local name=$1 output

        shift
        if output=$("$@" 2>&1); then
                fail "$name" "unexpected success of: $*" "$output"
        else
                pass "$name"
        fi
}

# check_eq NAME WANT GOT
check_eq() {
        if [[ $2 == "$3" ]]; then
                pass "$1"
        else
                fail "$1" "want: $2" "got:  $3"
        fi
}

# check_match NAME PATTERN TEXT: an extended regular expression.
check_match() {
        if [[ $3 =~ $2 ]]; then
                pass "$1"
        else
                fail "$1" "want: $2" "got:  $3"
        fi
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails at the deadline.
wait_for() {
        local deadline=$((SECONDS + $1 + 1))

        shift
        until "$@" >/dev/null 2>&1; do
                ((SECONDS < deadline)) || return 1
                sleep 0.05
        done
}

# check_soon NAME SECONDS COMMAND...: passes if the command succeeds before the deadline.
check_soon() {
        local name=$1

        shift
        if wait_for "$@"; then
                pass "$name"
        else
                shift
                fail "$name" "not in time: $*" "$("$@" 2>&1)"
        fi
}

# The number of lines of standard input.
lines() {
        wc -l | tr -d ' '
}

bail_out() {
        echo "Bail out! $*"
        exit 1
}

# The machine cannot run the script at all.
skip_all() {
        echo "1..0 # SKIP $*"
        exit 0
}

done_testing() {
        echo "1..$test_count"
        ((test_failures == 0))
        exit
}
