#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that vethwall needs, and nothing where they are all there:
#
#   install-deps.sh build      to build it
#   install-deps.sh demo       and to run contrib/demo.sh
#   install-deps.sh test       and to run contrib/test.sh
#
# Services that come with a package newly installed here (Docker's, containerd's, Prometheus') are neither started nor
# enabled: the demonstration and the tests run engines of their own, and the machine stays as it is.
# A Docker engine that is there already, Debian's or not, is left alone and its programs are used.
set -euo pipefail
export PATH=/usr/sbin:/sbin:$PATH DEBIAN_FRONTEND=noninteractive

build=(meson ninja-build pkg-config gcc libc6-dev libnftnl-dev libmnl-dev libnetfilter-conntrack-dev libnl-3-dev
        libnl-route-3-dev libyaml-dev libevent-dev libcurl4-openssl-dev libjansson-dev libcap-dev libseccomp-dev)
demo=(busybox-static iproute2 iptables nftables procps)
test=(clang clang-format clang-tidy conntrack curl fish graphviz libcmocka-dev patch prometheus python3 python3-yaml scdoc
        shellcheck systemd valgrind zsh)
services=(docker.service docker.socket containerd.service prometheus.service prometheus-node-exporter.service)
policy=/usr/sbin/policy-rc.d

case ${1:-} in
build) packages=("${build[@]}") ;;
demo) packages=("${build[@]}" "${demo[@]}") ;;
test) packages=("${build[@]}" "${demo[@]}" "${test[@]}") ;;
*)
        echo "usage: install-deps.sh build|demo|test" >&2
        exit 2
        ;;
esac
if [[ $1 != build ]] && ! command -v dockerd >/dev/null; then
        packages+=(docker.io)
fi

# The packages among the arguments that are not installed, a line each.
missing() {
        local package

        for package; do
                if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
                        echo "$package"
                fi
        done
}

put_policy_back() {
        rm -f "$policy"
        if [[ -e $policy.vethwall ]]; then
                mv "$policy.vethwall" "$policy"
        fi
}

install() {
        local unit status=0 fresh=()

        # What was enabled before stays so.
        for unit in "${services[@]}"; do
                if ! systemctl is-enabled "$unit" >/dev/null 2>&1; then
                        fresh+=("$unit")
                fi
        done
        [[ ! -e $policy ]] || mv "$policy" "$policy.vethwall"
        trap put_policy_back EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" </dev/null || status=1
        put_policy_back
        trap - EXIT
        for unit in "${fresh[@]}"; do
                systemctl --quiet disable "$unit" >/dev/null 2>&1 || true
        done
        return "$status"
}

if ! command -v apt-get >/dev/null; then
        echo "install-deps: no apt-get here. Needed, by Debian's names: ${packages[*]}" >&2
        exit 1
fi
mapfile -t wanted < <(missing "${packages[@]}")
if [[ ${#wanted[@]} == 0 ]]; then
        exit 0
fi
if [[ $(id -u) != 0 ]]; then
        echo "install-deps: only root can install: ${wanted[*]}" >&2
        exit 1
fi
echo "Installing ${wanted[*]}"
apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null
# One package that cannot be had (an engine, say) must not keep the others out; who needs it will say so.
if ! install "${wanted[@]}"; then
        status=0
        for package in "${wanted[@]}"; do
                install "$package" || status=1
        done
        exit "$status"
fi
