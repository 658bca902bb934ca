#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vethwall in two minutes: installs what is needed, builds, starts real Docker containers in a private engine, closes them
# with policies/examples/shop.yaml, and compares what the policy says with what really gets through.
#
#   sudo contrib/demo.sh [--no-install]
#
# The machine stays as it was, but for Debian packages installed: engine, containers, bridges and nftables rules live in
# namespaces that end with this script, however it ends. Where Docker cannot be had, network namespaces play the
# containers. Exit status 1 if one connection behaved otherwise than the policy says.
set -euo pipefail
export PATH=/usr/sbin:/sbin:$PATH LC_ALL=C.UTF-8
unset CFLAGS LDFLAGS CC

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ $(id -u) != 0 ]]; then
        echo "demo.sh: needs root: sudo $0" >&2
        exit 1
fi
case ${1:-} in
'') "$top/contrib/install-deps.sh" demo || echo "Not everything could be installed; going on with what is there." ;;
--no-install) ;;
*)
        sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 2
        ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "Building vethwall ..."
SECONDS=0
build() {
        meson setup "$work/build" "$top" --buildtype=release &&
                ninja -C "$work/build" src/agent/vethwalld src/cli/vethwall tests/lib/probe
}
if ! build >"$work/build.log" 2>&1; then
        tail -n 40 "$work/build.log"
        exit 1
fi
echo "Built in $SECONDS s."

export VETHWALLD=$work/build/src/agent/vethwalld VETHWALL=$work/build/src/cli/vethwall
export PROBE=$work/build/tests/lib/probe DEMO_DIR=$work/demo
if [[ -z ${DEMO_COLOUR:-} && -t 1 && -z ${NO_COLOR:-} ]]; then
        export DEMO_COLOUR=always
fi
mkdir -p "$DEMO_DIR"

# 77: no engine can be run here.
status=0
"$top/tests/lib/docker-host.sh" "$work/engine" "$top/contrib/demo/show.sh" docker || status=$?
if [[ $status == 77 ]]; then
        echo "No Docker engine here: network namespaces play the containers."
        status=0
        setpriv --pdeathsig KILL unshare -m -n -p -f --mount-proc --kill-child \
                "$top/contrib/demo/show.sh" netns || status=$?
fi
exit "$status"
