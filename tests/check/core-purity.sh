#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The core is pure: what it calls outside of itself is on a short list of functions of memory, text and YAML.
#
#   core-purity.sh ARCHIVE     the core as a static library
set -euo pipefail

archive=${1:?the archive}
allowed=$(dirname "${BASH_SOURCE[0]}")/core-purity.txt

# What sanitizers, fortification and coverage put in is the compiler's and not the core's.
instrumentation='^(__(asan|ubsan|lsan|tsan|msan|sanitizer|gcov|llvm)_.*|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$'

undefined=$(nm -P -u "$archive" 2>/dev/null | awk '$2 == "U" { print $1 }' | sort -u)
defined=$(nm -P --defined-only "$archive" 2>/dev/null | awk '$2 ~ /^[A-Z]$/ { print $1 }' | sort -u)
if [[ -z $defined || -z $undefined ]]; then
        echo "$archive: no symbols found"
        exit 1
fi

called=$(comm -23 <(printf '%s\n' "$undefined") <(printf '%s\n' "$defined") | grep -vE "$instrumentation")
stray=$(comm -23 <(printf '%s\n' "$called" | sed -E 's/^__(.*)_chk$/\1/' | sort -u) \
        <(grep -v '^#' "$allowed" | sort -u))
if [[ -n $stray ]]; then
        echo "the core calls what is not in core-purity.txt:"
        printf '%s\n' "$stray"
        exit 1
fi
printf 'the core calls %d functions outside of itself, all allowed\n' "$(wc -l <<<"$called")"
