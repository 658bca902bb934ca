#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks of the code itself, one a call:
#
#   check.sh format            every C file is as clang-format leaves it
#   check.sh tidy BUILD        clang-tidy, with the flags in BUILD/compile_commands.json
#   check.sh shell             shellcheck on every script
#   check.sh spdx              every source file names its licence
#   check.sh words             no unfinished work, no path of one machine, no // comments
#   check.sh includes          the include rule of src/README.md
#
# Works on the source tree that holds it, with or without git.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Paths below the top, NUL-terminated: c_files DIRECTORY...
c_files() {
        find "$@" -name '*.[ch]' -print0 | sort -z
}

all_files() {
        find . \( -name .git -o -name 'build*' \) -prune -o -type f -print0 | sort -z
}

scripts() {
        all_files | xargs -0 awk 'FNR == 1 && (/^#!.*sh/ || FILENAME ~ /\.(sh|bash)$/) { printf "%s%c", FILENAME, 0 }'
}

check_format() {
        c_files include src tests | xargs -0 clang-format --dry-run -Werror
}

check_tidy() {
        local build=$1

        # Warning options of gcc that clang does not know are not what is looked for.
        c_files src | grep -z '\.c$' |
                xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option \
                        --extra-arg=-Wno-ignored-optimization-argument 2>/dev/null
}

# Left out: SC2317 takes what a trap or another function calls for unreachable; SC2119 takes a function's own optional
# arguments for the script's; SC2016 takes a sed or awk program for a string that should expand.
check_shell() {
        scripts | xargs -0 shellcheck --exclude=SC2317,SC2119,SC2016 --external-sources --source-path=SCRIPTDIR
}

# The licence's own text, data without comments and the licensed text of golden files have no line.
check_spdx() {
        local file missing=0

        while IFS= read -r -d '' file; do
                if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later'; then
                        echo "$file: no SPDX line"
                        missing=1
                fi
        done < <(all_files | grep -zE '(\.[ch]|\.sh|\.py|meson\.build|/\.ci/run)$|^\./policies/.*\.yaml$')
        return "$missing"
}

check_words() {
        local found=0 here='^\./tests/check/check\.sh:'

        if all_files | xargs -0 grep -nIE '\b(TODO|FIXME|XXX|HACK)\b|(^|[^[:alnum:]_.$}/])/(work|home|Users)/' |
                grep -vE "$here"; then
                found=1
        fi
        if c_files include src tests | xargs -0 grep -nE '^[[:space:]]*//|[;{})][[:space:]]+//'; then
                found=1
        fi
        return "$found"
}

# includes DIRECTORY: "FILE:HEADER" for every include, the brackets or quotes kept.
includes() {
        c_files "$1" | xargs -0r awk '/^#[ \t]*include[ \t]/ { sub(/^#[ \t]*include[ \t]*/, ""); print FILENAME ":" $1 }'
}

# room NAME FORBIDDEN: no include of the forbidden rooms from this one.
room() {
        ! includes "src/$1" | grep -E ":[\"<](\.\./)*($2)/"
}

check_includes() {
        local bad=0 libc='assert|ctype|errno|inttypes|limits|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings'
        local yaml

        # The core: its own contract, plain libc, address types; its own private headers; yaml.h in one file.
        if includes include | grep -vE ":<(vethwall/[a-z_]+|$libc|netinet/in|arpa/inet)\.h>$"; then
                echo "include/: only <vethwall/...> and plain libc headers"
                bad=1
        fi
        if includes src/core | grep -vE ":(<(vethwall/[a-z_]+|$libc|netinet/in|arpa/inet|yaml)\.h>|\"(core/)?[a-z0-9_]+\.h\")$"; then
                echo "src/core: only <vethwall/...>, plain libc headers, its own, and yaml.h"
                bad=1
        fi
        yaml=$(includes src/core | grep -c ':<yaml\.h>' || true)
        if ((yaml > 1)); then
                echo "src/core: yaml.h in $yaml files, where one is to be enough"
                bad=1
        fi
        room core 'files|nft|link|conntrack|runtime|agent|cli' || bad=1
        room files 'nft|link|conntrack|runtime|agent|cli' || bad=1
        room nft 'files|link|conntrack|runtime|agent|cli' || bad=1
        room link 'files|nft|conntrack|runtime|agent|cli' || bad=1
        room conntrack 'files|nft|link|runtime|agent|cli' || bad=1
        room runtime 'nft|link|conntrack|agent|cli' || bad=1
        room agent 'cli' || bad=1
        room cli 'agent' || bad=1
        return "$bad"
}

case ${1:-} in
format) check_format ;;
tidy) check_tidy "${2:?the build directory}" ;;
shell) check_shell ;;
spdx) check_spdx ;;
words) check_words ;;
includes) check_includes ;;
*)
        echo "usage: check.sh format|tidy BUILD|shell|spdx|words|includes" >&2
        exit 2
        ;;
esac
