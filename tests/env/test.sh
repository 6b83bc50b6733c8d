#!/usr/bin/env bash
# test.sh test [FILTER] | bench [--kafka] [ARGUMENTS...] | chaos [ARGUMENTS...] | sim [ARGUMENTS...]: the
# verbs of `./x` with these names. Builds, starts a PostgreSQL and a Kafka of this run's own in a throw-away
# folder, runs ctest (or tests/bench/run.py; tests/chaos/campaign.py starts its own).
#
# What the tests are told (tests make their own databases and topics, so that they may run side by side):
#   ORDERD_TEST_PG            URL of a superuser on the database `postgres`
#   ORDERD_TEST_KAFKA         host:port of the plain listener      ORDERD_TEST_KAFKA_TLS  of the mTLS listener
#   ORDERD_TEST_CERTS         folder with {ca,client,other-ca,other-client}.{crt,key}
#   ORDERD_TEST_DIR           the throw-away folder: servers that a test starts in a folder of it end with it
#   ORDERD_TEST_POSTGRES_SH, ORDERD_TEST_KAFKA_SH     the scripts to start them with
#   ORDERD_TEST_BIN           the build under test   ORDERD_TEST_RELEASE_BIN  as released, with fault points
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
env=$root/tests/env state=$root/.orderd
. "$env/lib.sh"

logs_kept=$state/test-logs
dir=

end_servers() {
  trap '' INT TERM HUP PIPE
  set +e                                          # whatever fails here, the rest must be stopped as well
  end_step
  [ -n "$dir" ] || return 0
  local server
  for server in "$dir"/*/; do
    [ ! -f "$server/pid" ] || "$env/kafka.sh" kill "$server"
    [ ! -f "$server/data/postmaster.pid" ] || "$env/postgres.sh" kill "$server"
    [ ! -f "$server/log" ] || cp "$server/log" "$logs_kept/$(basename "$server").log"
  done
  rm -rf "$dir"
}

make_folder() {
  rm -rf "$logs_kept"
  mkdir -p "$logs_kept"
  dir=$(mktemp -d /var/tmp/orderd-test.XXXXXX)
  chmod 711 "$dir"                                # PostgreSQL's user must be able to pass
  export ORDERD_TEST_DIR=$dir
  export ORDERD_TEST_POSTGRES_SH=$env/postgres.sh ORDERD_TEST_KAFKA_SH=$env/kafka.sh
}

start_servers() {
  make_folder
  say "== PostgreSQL and Kafka in $dir (their logs stay in $logs_kept)"
  local begin=$SECONDS
  step "$env/postgres.sh" start "$dir/postgres" >/dev/null
  ORDERD_TEST_PG=$("$env/postgres.sh" url "$dir/postgres")
  export ORDERD_TEST_PG
  if [ "$1" = kafka ]; then
    step "$env/kafka.sh" start "$dir/kafka" >"$dir/addresses"
    read -r ORDERD_TEST_KAFKA ORDERD_TEST_KAFKA_TLS <"$dir/addresses"
    export ORDERD_TEST_KAFKA ORDERD_TEST_KAFKA_TLS ORDERD_TEST_CERTS=$dir/kafka/certs
  fi
  say "== PostgreSQL and Kafka: $((SECONDS - begin)) s"
}

mkdir -p "$state"
trap end_servers EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE
export ORDERD_TEST_RELEASE_BIN=$root/build/faults
case $1 in
  test)
    [[ ${2:-} != packages* ]] || export ORDERD_TEST_PACKAGES=1
    "$env/packages.sh" build run kafka test ${ORDERD_TEST_PACKAGES:+package packages}
    build dev
    build faults "${product[@]}" "${chaos[@]}" "${sim[@]}"
    start_servers kafka
    export ORDERD_TEST_BIN=$root/build/dev
    sanitizers_can_run
    phase "tests" "${no_aslr[@]}" ctest --preset dev --output-on-failure --no-tests=error -j2 ${2:+-R "$2"}
    ;;
  bench)
    shift
    with=postgres
    [ "${1:-}" != --kafka ] || { with=kafka; shift; }
    "$env/packages.sh" build run bench $([ $with != kafka ] || echo kafka)
    build release
    start_servers $with
    export ORDERD_TEST_BIN=$root/build/release
    phase "bench" python3 "$root/tests/bench/run.py" "$@"
    ;;
  chaos)
    shift
    "$env/packages.sh" build run chaos kafka
    build faults "${product[@]}" "${chaos[@]}"
    make_folder
    "$env/kafka.sh" certs "$dir/kafka"
    export ORDERD_TEST_CERTS=$dir/kafka/certs ORDERD_TEST_BIN=$ORDERD_TEST_RELEASE_BIN
    phase "chaos" python3 -B "$root/tests/chaos/campaign.py" "$@"
    ;;
  sim)
    shift
    "$env/packages.sh" build
    build faults "${sim[@]}"
    step "$ORDERD_TEST_RELEASE_BIN/tests/sim/orderd_sim" "$@"
    ;;
esac
