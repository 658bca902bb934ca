#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent under valgrind: containers, policies and networks come and go, and it ends with nothing lost and nothing
# read that was not written.
set -euo pipefail
# shellcheck source=host.sh
source "$(dirname "${BASH_SOURCE[0]}")/host.sh"

# shellcheck disable=SC2034 # read by agent_start
agent_wrapper=(valgrind --quiet --error-exitcode=99 --leak-check=full "--errors-for-leak-kinds=definite,indirect,possible"
        "--log-file=$TEST_TMP/valgrind.log")
# shellcheck disable=SC2034
agent_patience=60
# Valgrind lives in the process.
export VETHWALL_CONFINE=no
make_image probe
policy shop <"$docker_dir/../../policies/examples/shop.yaml"
docker network create --subnet 172.30.0.0/24 one >/dev/null
docker network create --subnet 172.31.0.0/24 two >/dev/null
container web one shop
agent_config
agent_start
container api one shop -p 9000:9000
check_soon "a container that came later is known" 20 reaches web "tcp/$(addr api one)/9000"
check_soon "and closed where policy says so" 20 blocked web "tcp/$(addr api one)/8080"
docker network connect two api
policy extra <"$docker_dir/../../policies/examples/cross-project.yaml"
echo 'kind: [' | policy broken
check_soon "a broken policy is reported" 20 grep -q 'broken.yaml' "$TEST_TMP/agent.log"
rm "$policies/broken.yaml"
check "status" "$VETHWALL" status
check "counters" "$VETHWALL" counters
check "endpoints" "$VETHWALL" endpoints
check "metrics" metric vethwall_endpoints
kill -HUP "$agent_pid"
docker rm -f api >/dev/null
container api2 one shop --label com.docker.compose.service=api
check_soon "the agent goes on" 20 reaches web "tcp/$(addr api2 one)/9000"
check_agent_stops
check_eq "valgrind has nothing to say" "" "$(cat "$TEST_TMP/valgrind.log")"
done_testing
