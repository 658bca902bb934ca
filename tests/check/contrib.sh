#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What contrib/ says of the programs is true of them:
#
#   contrib.sh man PROGRAM PAGE       the page is well-formed, and names exactly the program's options and commands
#   contrib.sh config VETHWALLD       the example configuration is accepted, and names every key with its default
#   contrib.sh unit VETHWALLD         systemd takes the service
#
# Exit status 77 where the tool that judges is not installed.
set -euo pipefail
export PATH=/usr/sbin:/sbin:$PATH LC_ALL=C.UTF-8

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

need() {
        if ! command -v "$1" >/dev/null; then
                echo "$1 is not installed"
                exit 77
        fi
}

# The commands that a program's help lists; none for one without.
commands_of() {
        "$1" --help | awk '/^Commands:/ { on = 1; next } !/^  / { on = 0 } on { print $1 }'
}

options_of() {
        local program=$1 command

        {
                "$program" --help
                commands_of "$program" | while read -r command; do
                        "$program" "$command" --help
                done
        } | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

check_man() {
        local program=$1 page=$2 command

        need scdoc
        scdoc <"$page" >"$tmp/page"
        options_of "$program" >"$tmp/options"
        grep -oE -- '--[a-z][a-z-]*' "$page" | sort -u >"$tmp/page-options"
        diff "$tmp/options" "$tmp/page-options"
        commands_of "$program" | while read -r command; do
                if ! grep -qE "^\*$command\*" <(sed -n '/^# COMMANDS/,/^# OPTIONS/p' "$page"); then
                        echo "$page: nothing about '$command'"
                        exit 1
                fi
        done
        # Of the page's commands, only "help" is no entry of the list.
        sed -n '/^# COMMANDS/,/^# OPTIONS/p' "$page" | sed -n 's/^\*\([a-z]*\)\*.*/\1/p' | grep -vx help |
                sort >"$tmp/page-commands" || true
        diff <(commands_of "$program" | sort) "$tmp/page-commands"
}

check_config() {
        local vethwalld=$1

        mkdir "$tmp/policies"
        sed "s#/etc/vethwall#$tmp#" "$top/contrib/vethwall.example.yaml" >"$tmp/config.yaml"
        "$vethwalld" -c "$tmp/config.yaml" --check
        # The runtimes that are only shown must be right too.
        sed -i 's/^# \(runtimes:\)/\1/; s/^#   \(docker:\|static:\)/  \1/; s/^#   # /  # /' "$tmp/config.yaml"
        cp "$top/policies/inventory.yaml" "$tmp/inventory.yaml"
        grep -q '^runtimes:' "$tmp/config.yaml"
        "$vethwalld" -c "$tmp/config.yaml" --check
}

check_unit() {
        local vethwalld unit

        vethwalld=$(readlink -f "$1")
        need systemd-analyze
        for unit in vethwalld.service vethwall-base.service; do
                # The page is not installed here, and the program is elsewhere.
                sed "s#^ExecStart=vethwalld#ExecStart=$vethwalld#; /^Documentation=/d" \
                        "$top/contrib/systemd/$unit" >"$tmp/$unit"
                grep -qF "ExecStart=$vethwalld" "$tmp/$unit"
        done
        if ! systemd-analyze verify --man=no "$tmp/vethwalld.service" "$tmp/vethwall-base.service" \
                >"$tmp/verdict" 2>&1; then
                cat "$tmp/verdict"
                return 1
        fi
        # Unknown keys and values are only warned of; warnings about other units are not ours.
        ! grep -F vethwall "$tmp/verdict"
}

case ${1:-} in
man) check_man "${2:?}" "${3:?}" ;;
config) check_config "${2:?}" ;;
unit) check_unit "${2:?}" ;;
*)
        echo "usage: contrib.sh man PROGRAM PAGE | config VETHWALLD | unit VETHWALLD" >&2
        exit 2
        ;;
esac
