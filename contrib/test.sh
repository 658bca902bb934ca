#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what is needed, builds vethwall in three ways, and runs all tests. For root on Debian 12; takes some minutes.
#
#   contrib/test.sh [--no-install] [--keep DIR]
#
#   sanitized   gcc, AddressSanitizer and UndefinedBehaviorSanitizer: every suite
#   clang       clang: the suites that need no privilege; the unit tests again under valgrind, and the agent's exit
#   release     gcc -O2 without assertions: the suites that need no privilege, the kernel's, and other projects' cases
#
# Nothing of the machine is touched but by the installation: tests run in namespaces of their own. The last line is the
# sum of what the runners counted, "N passed, N failed, N skipped"; exit status 1 if any failed.
set -euo pipefail
export PATH=/usr/sbin:/sbin:$PATH LC_ALL=C.UTF-8
unset CFLAGS LDFLAGS CC

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
install=yes
keep=

while (($# > 0)); do
        case $1 in
        --no-install) install= ;;
        --keep)
                keep=${2:?--keep needs a directory}
                shift
                ;;
        *)
                sed -n '3,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
                exit 2
                ;;
        esac
        shift
done

if [[ $(id -u) != 0 ]]; then
        echo "test.sh: needs root, for network namespaces and a Docker engine of its own" >&2
        exit 1
fi
[[ -z $install ]] || "$top/contrib/install-deps.sh" test

if [[ -n $keep ]]; then
        mkdir -p "$keep"
        work=$(cd "$keep" && pwd)
else
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
fi
results=$work/results
: >"$results"

say() {
        printf '\n== %s (%d s)\n' "$*" "$SECONDS"
}

# build NAME SETUP-ARGUMENT...: a build that fails counts as one failed test.
build() {
        local name=$1 log=$work/$1.log

        shift
        say "build $name"
        rm -rf "${work:?}/$name"
        if meson setup "$work/$name" "$top" "$@" >"$log" 2>&1 && ninja -C "$work/$name" >>"$log" 2>&1; then
                return 0
        fi
        tail -n 60 "$log"
        echo "build-$name 0 1 0" >>"$results"
        return 1
}

# run BUILD NAME ARGUMENT...: runs meson's tests and adds what they counted.
run() {
        local build=$1 name=$2 log=$work/$1/meson-logs/$2.json

        shift 2
        say "test $build $name"
        # The counts below say whether any failed.
        meson test -C "$work/$build" --no-rebuild --print-errorlogs --timeout-multiplier 4 --logbase "$name" "$@" || true
        # meson adds a wrapper's name to that of the log.
        [[ -e $log ]] || log=$work/$build/meson-logs/$name-valgrind.json
        python3 "$top/tests/lib/count.py" "$build-$name" "$log" >>"$results"
}

export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
plain=(--suite unit --suite limits --suite golden --suite encode --suite property --suite fuzz)

if build sanitized --buildtype=debugoptimized -Db_sanitize=address,undefined; then
        run sanitized all --no-suite conformance
fi
# Valgrind 3.19 cannot read the debug information that clang 14 writes by itself.
if CC=clang build clang --buildtype=debugoptimized -Dc_args=-gdwarf-4; then
        run clang plain "${plain[@]}"
        run clang memory --suite memory
        run clang unit --suite unit \
                --wrapper 'valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=all'
fi
if build release --buildtype=release; then
        run release plain "${plain[@]}" --suite kernel --suite conformance
fi

say "done"
awk '{ printf "%-24s %5d passed, %d failed, %d skipped\n", $1, $2, $3, $4; p += $2; f += $3; s += $4 }
     END { printf "\n%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' "$results"
