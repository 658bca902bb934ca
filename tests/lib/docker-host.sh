#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a command inside a private host with a real Docker engine of its own, and takes everything down with it.
#
#   docker-host.sh DIR COMMAND [ARGUMENT...]
#
# The host is a mount, network and process namespace: its own /run, /sys, interfaces, addresses, nftables and process
# ids. Nothing of the machine changes, and since the engine and its containers live in the process namespace, all of it
# ends with the command however that ends. COMMAND finds the engine by DOCKER_HOST (which is also the default place,
# /var/run/docker.sock), an image `vw` (busybox with all its applets) in it, and its exit status is passed on.
# DIR, made if need be, keeps the engine's log (docker.log); the engine's data lies on a tmpfs over DIR/data.
#
# Inside, COMMAND may end the engine by the pid in /run/docker.pid and start it again, waiting until it answers, with
#   docker-host.sh --engine
#
# Exit status 77: this machine cannot do it (no root, no Docker), and nothing was run.
# Environment: VETHWALL_DOCKERD_ARGS, more arguments for dockerd.
#
# shellcheck disable=SC2317 # what a trap calls is not unreachable
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")

die() {
        echo "docker-host: $*" >&2
        exit 1
}

# The engine, from inside the host. It answers when this returns.
engine() {
        local tries=600 args=() daemon

        read -ra args <<<"${VETHWALL_DOCKERD_ARGS:-}"
        rm -f /run/docker.pid
        setsid dockerd --data-root "$VETHWALL_DOCKER_DIR/data" --exec-root /run/docker --pidfile /run/docker.pid \
                --host "$DOCKER_HOST" --cgroup-parent "/$VETHWALL_CGROUP" --exec-opt native.cgroupdriver=cgroupfs \
                --raw-logs "${args[@]}" >>"$VETHWALL_DOCKER_DIR/docker.log" 2>&1 </dev/null &
        daemon=$!
        disown # its end is nothing to report
        until docker version >/dev/null 2>&1; do
                if ! kill -0 "$daemon" 2>/dev/null || ((--tries == 0)); then
                        tail -n 20 "$VETHWALL_DOCKER_DIR/docker.log" >&2
                        die "the engine did not start"
                fi
                sleep 0.05
        done
}

image() {
        local root=/run/image busybox

        busybox=$(command -v busybox) || die "no busybox"
        mkdir -p $root/{bin,etc,proc,sys,dev,tmp,root,www}
        cp "$busybox" $root/bin/busybox
        "$root/bin/busybox" --list | while read -r applet; do
                [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
        done
        echo 'root:x:0:0:root:/root:/bin/sh' >$root/etc/passwd
        echo 'root:x:0:' >$root/etc/group
        tar -C $root -c . | docker import - vw >/dev/null
        rm -r $root
}

# Process 1 of the host.
inside() {
        local status=0

        trap 'exit 143' TERM
        trap 'exit 130' INT
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir /run/cgroup /run/lock
        mount --rbind /sys/fs/cgroup /run/cgroup
        mount -t sysfs sysfs /sys
        mount --rbind /run/cgroup /sys/fs/cgroup
        umount -l /run/cgroup
        rmdir /run/cgroup
        mkdir -p "$VETHWALL_DOCKER_DIR/data"
        mount -t tmpfs -o mode=711 tmpfs "$VETHWALL_DOCKER_DIR/data"
        ip link set lo up
        engine
        image
        # In the background and waited for, since a trap runs only between a shell's commands.
        "$@" <&0 &
        wait $! || status=$?
        exit "$status"
}

# Removes the control groups that hosts made and that no process is left to use: this one's, and those of earlier ones
# whose script was killed. The last processes may still be going, so it tries for a while.
sweep() {
        local dir pid tries

        for dir in /sys/fs/cgroup/vethwall-test-* /sys/fs/cgroup/*/vethwall-test-*; do
                pid=${dir##*-}
                if [[ ! -d $dir || ($pid != "$$" && -d /proc/$pid) ]]; then
                        continue
                fi
                for ((tries = 0; tries < 100; tries++)); do
                        find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null && break
                        sleep 0.05
                done
        done
}

if [[ ${1:-} == --engine ]]; then
        engine
        exit 0
elif [[ ${1:-} == --inside ]]; then
        shift
        inside "$@"
fi

[[ $# -ge 2 ]] || die "usage: docker-host.sh DIR COMMAND [ARGUMENT...]"
export PATH=/usr/bin:/usr/sbin:/bin:/sbin:$PATH
if [[ $(id -u) != 0 ]] || ! command -v dockerd docker unshare busybox >/dev/null; then
        echo "docker-host: needs root, dockerd, docker and busybox" >&2
        exit 77
fi

mkdir -p "$1"
VETHWALL_DOCKER_DIR=$(readlink -f "$1")
VETHWALL_CGROUP=vethwall-test-$$
DOCKER_HOST=unix:///run/docker.sock
export VETHWALL_DOCKER_DIR VETHWALL_CGROUP DOCKER_HOST
unset DOCKER_CONTEXT DOCKER_API_VERSION DOCKER_TLS_VERIFY DOCKER_CERT_PATH
shift

host=
finish() {
        if [[ -n $host ]]; then
                kill -KILL "$host" 2>/dev/null || true
                wait "$host" 2>/dev/null || true
        fi
        sweep
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT HUP

# unshare dies with this script, and the host's process 1, and so the host, with unshare.
setpriv --pdeathsig KILL unshare -m -n -p -f --mount-proc --kill-child "$self" --inside "$@" <&0 &
host=$!
status=0
wait "$host" || status=$?
host=
exit "$status"
