#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration, on containers and on network namespaces: every connection must behave as the policy says.
#
#   demo.sh VETHWALLD VETHWALL PROBE
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$here/../lib/lib.sh"
VETHWALLD=$(readlink -f "$1") VETHWALL=$(readlink -f "$2") PROBE=$(readlink -f "$3") DEMO_DIR=$TEST_TMP/demo
export VETHWALLD VETHWALL PROBE DEMO_DIR
show=$here/../../contrib/demo/show.sh

# The whole output is what a failure is understood by.
showing() {
        rm -rf "$DEMO_DIR"
        mkdir "$DEMO_DIR"
        "$@" </dev/null
}

check "with Docker" showing "$here/../lib/docker-host.sh" "$TEST_TMP/engine" "$show" docker
check "with network namespaces" showing unshare -m -n -p -f --mount-proc --kill-child "$show" netns
done_testing
