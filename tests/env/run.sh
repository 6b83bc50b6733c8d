#!/usr/bin/env bash
# run.sh [--kafka] [--fresh] [--port N]: `./x run`. All of it lives in .orderd/ of the clone:
#   postgres/  kafka/     the servers' data; survives until --fresh
#   orderd.properties     how orderd is told about them, written anew each time
#   secrets.key           the key that payment secrets are encrypted with
#   webhook.secret        what the simulated bank signs its webhooks with
#   orderd.log            what is shown
# Where PostgreSQL, who steps down from root, cannot reach the clone, postgres/ is in /var/tmp instead.
set -euo pipefail
script=$(readlink -f "${BASH_SOURCE[0]}")
root=${script%/tests/env/run.sh}
env=$root/tests/env state=$root/.orderd
. "$env/lib.sh"

# A shell without job control starts background jobs with SIGINT ignored, which no trap could undo.
sigint_ignored=$((16#$(sed -n 's/^SigIgn:\t*//p' /proc/self/status) & 2))
[ $sigint_ignored = 0 ] || exec env --default-signal=INT "$script" "$@"

ready_seconds_max=60
stop_seconds_max=45
bin=$root/build/release/host
config=$state/orderd.properties
log=$state/orderd.log
port=3000 with_kafka= fresh=
orderd_pid= tail_pid= ending=

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      --kafka) with_kafka=1 ;;
      --fresh) fresh=1 ;;
      --port=*) port=${1#*=} ;;
      --port) port=${2:-} && [ $# -gt 1 ] && shift ;;
      *) die "run does not know '$1'; see ./x help" ;;
    esac
    shift
  done
  [[ $port =~ ^[1-9][0-9]{0,4}$ ]] && [ "$port" -le 65535 ] ||
    die "--port wants a number from 1 to 65535, not '$port'"
}

lock_clone() {
  exec 9>>"$state/run.lock"
  flock -n 9 || die "./x run is already running in this clone (process $(cat "$state/run.pid" 2>/dev/null)).
   End it with Ctrl-C there; or work in a second clone, with another --port"
  echo $$ >"$state/run.pid"
}

port_must_be_free() {
  port_taken "$port" || return 0
  local holder next=$((port + 1))
  holder=$(ss -H -ltnp "sport = :$port" 2>/dev/null |
    sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ by \1 (process \2)/p' | head -n 1)
  while port_taken $next; do next=$((next + 1)); done
  die "port $port is in use on 127.0.0.1${holder}. End that program, or take another: ./x run --port $next"
}

# Where PostgreSQL's data lives; see the head of this file.
choose_postgres_dir() {
  postgres=$state/postgres
  [ "$(id -u)" = 0 ] || return 0
  ! setpriv --reuid=postgres --regid=postgres --init-groups -- test -x "$state/." || return 0
  local outside
  outside=/var/tmp/orderd-$(printf %s "$root" | sha256sum | cut -c 1-12)
  [ -d "$outside" ] || mkdir -m 711 "$outside"
  [ ! -L "$outside" ] && [ -O "$outside" ] || die "$outside is not ours: remove it"
  postgres=$outside/postgres
}

stop_servers() {
  [ ! -d "$state/kafka" ] || "$env/kafka.sh" stop "$state/kafka" || true
  [ ! -d "$postgres" ] || "$env/postgres.sh" stop "$postgres" || true
}

# A run that was killed could not clean up.
end_earlier_run() {
  local pid
  if pid=$(pid_of "$state/orderd.pid" "$config"); then
    say "Ending orderd (process $pid), which an earlier run left behind"
    stop_pid "$pid" $stop_seconds_max
  fi
  stop_servers
  if [ "$fresh" ]; then
    say "--fresh: removing the data of earlier runs"
    rm -rf "$postgres" "$state/kafka" "$state/secrets.key" "$state/webhook.secret"
  fi
}

# The superuser's password belongs into no command line: psql finds it in the environment.
psql_as_owner() {
  [[ $url =~ //([^:]*):([^@]*)@([^:]*):([0-9]*)/ ]]
  local user=${BASH_REMATCH[1]} password=${BASH_REMATCH[2]} host=${BASH_REMATCH[3]} port=${BASH_REMATCH[4]}
  PGUSER=$user PGPASSWORD=$password PGHOST=$host PGPORT=$port psql -XqAt "$@"
}

start_postgres() {
  say "== PostgreSQL in $postgres"
  step "$env/postgres.sh" start "$postgres" >/dev/null
  url=$("$env/postgres.sh" url "$postgres" orderd)
  [ "$(psql_as_owner -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'orderd'")" ] ||
    psql_as_owner -d postgres -c "CREATE DATABASE orderd"
}

start_kafka() {
  say "== Kafka in $state/kafka"
  step "$env/kafka.sh" start "$state/kafka" >"$state/kafka.addresses"
  read -r kafka_plain kafka_tls <"$state/kafka.addresses"
}

# The simulated bank's page, on which a buyer agrees to his payment, has the next free port.
choose_bank_port() {
  bank_port=$((port + 1))
  while port_taken $bank_port; do bank_port=$((bank_port + 1)); done
}

make_secret() { [ -s "$1" ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$1"; }

write_config() (
  certs=$state/kafka/certs
  umask 077
  make_secret "$state/secrets.key"
  make_secret "$state/webhook.secret"
  {
    cat <<CONF
# Written by ./x run.
http.address=127.0.0.1
http.port=$port
access.keys=off
http.web_dir=$root/host/web
postgres.url=$url
saga.dir=$root/config/sagas
secrets.key_file=$state/secrets.key
state.dir=$state
plugins.dir=$root/build/release/plugins
plugins.store_dir=$state/builds
plugins.trusted_owner=$(stat -c %u "$root")
plugin.payment.library=payment_simulated.so
plugin.payment.settings.database=$url
plugin.payment.settings.page_port=$bank_port
plugin.payment.settings.shop_url=http://127.0.0.1:$port/#/orders/
plugin.payment.settings.webhook_url=http://127.0.0.1:$port/api/webhooks/payment
plugin.payment.secret.webhook_secret=$state/webhook.secret
plugin.inventory.library=inventory_postgres.so
plugin.orders_read.library=projection_orders_read.so
CONF
    if [ "$with_kafka" ]; then
      cat <<CONF
bus=kafka
kafka.bootstrap.servers=$kafka_tls
kafka.security.protocol=ssl
kafka.ssl.ca.location=$certs/ca.crt
kafka.ssl.certificate.location=$certs/client.crt
kafka.ssl.key.location=$certs/client.key
CONF
    else
      echo "bus=pglog"
    fi
  } >"$config"
)

start_orderd() {
  step "$bin/orderctl" "--config=$config" migrate
  step "$bin/orderctl" "--config=$config" stock demo
  port_must_be_free
  [ ! -f "$log" ] || mv "$log" "$log.before"
  setsid env --default-signal=INT,QUIT "$bin/orderd" "--config=$config" >"$log" 2>&1 </dev/null 9>&- &
  orderd_pid=$!
  echo "$orderd_pid" >"$state/orderd.pid"
  for ((i = 0; i < ready_seconds_max * 10; i++)); do
    ! curl -fs -o /dev/null --max-time 2 "http://127.0.0.1:$port/healthz/ready" || return 0
    kill -0 "$orderd_pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 30 "$log" >&2
  die "orderd did not become ready within $ready_seconds_max s; its log is $log"
}

print_urls() {
  cat <<TEXT

orderd is running.
  Shop and order tracking   http://127.0.0.1:$port/
  API                       http://127.0.0.1:$port/api/orders
  Simulated bank's page     http://127.0.0.1:$bank_port/3ds/<order>   (the scenario "3-D Secure" leads there)
  Health, metrics           http://127.0.0.1:$port/healthz/ready   http://127.0.0.1:$port/metrics
  Database                  psql $url
  Operator's tool           $(printf '%q --config=%q' "$bin/orderctl" "$config")

No API keys are demanded here (access.keys=off): whoever reaches port $port of this machine
may read, place and cancel orders. The installed package demands them: orderctl keys create.
TEXT
  [ -z "$with_kafka" ] || cat <<TEXT
  Kafka                     $kafka_tls (mTLS, certificates in $state/kafka/certs), $kafka_plain (plain)
TEXT
  say "Ctrl-C stops all of it and keeps the data; ./x run --fresh begins anew."
  say ""
}

end_all() {
  trap '' INT TERM HUP PIPE
  set +e                                          # whatever fails here, the rest must be stopped as well
  end_step
  [ "$ending" ] || return 0
  say ""
  say "Stopping what was started here ..."
  [ -z "$orderd_pid" ] || stop_pid "$orderd_pid" $stop_seconds_max
  [ -z "$tail_pid" ] || kill "$tail_pid" 2>/dev/null
  stop_servers
  rm -f "$state/orderd.pid" "$state/run.pid"
  say "Stopped. The data is kept."
}

parse "$@"
mkdir -p "$state"
trap end_all EXIT
trap 'exit 0' INT TERM HUP PIPE
lock_clone
"$env/packages.sh" build run ${with_kafka:+kafka} 9>&-
choose_postgres_dir
end_earlier_run
port_must_be_free
ending=1
build release "${product[@]}"
start_postgres
[ -z "$with_kafka" ] || start_kafka
choose_bank_port
write_config
start_orderd
print_urls
tail -n +1 -f --pid="$orderd_pid" "$log" 9>&- &
tail_pid=$!
status=0
wait "$orderd_pid" || status=$?
orderd_pid=
die "orderd ended by itself with status $status; its log is $log"
