#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Other projects' policy cases, where they are present: beside the project, or where VETHWALL_CONFORMANCE says.
# conformance.sh VETHWALL CASES...; 77 (skipped) where there are none.
set -u

vethwall=$1
shift
root=$(realpath "$(dirname "$0")/../..")
cases=${VETHWALL_CONFORMANCE:-$root/../shared/conformance}

if [ ! -e "$cases/run.py" ]; then
        echo "no conformance cases at $cases: set VETHWALL_CONFORMANCE to where they are"
        exit 77
fi

files=()
for name in "$@"; do
        files+=("$cases/$name.json")
done
exec python3 "$cases/run.py" "$vethwall" "${files[@]}"
