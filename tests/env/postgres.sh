#!/usr/bin/env bash
# A PostgreSQL cluster of one's own, apart from the system's: 127.0.0.1 only, a password, real fsync.
#
#   postgres.sh start DIR [PORT]     make DIR/data if it is not there, start, wait; prints the superuser's URL
#   postgres.sh stop DIR             checkpoint and stop; `kill DIR` instead stops without a checkpoint
#   postgres.sh url DIR [DATABASE]   the URL of the running or stopped cluster (database: postgres)
#
# PostgreSQL refuses to run as root: then DIR belongs to the user `postgres`, who must be able to reach it.
# Without PORT a cluster keeps the port that it had, or takes a free one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

bin=/usr/lib/postgresql/15/bin lib=/usr/lib/postgresql/15/lib
start_seconds_max=60
command=${1:-help} dir=${2:-}
[ -n "$dir" ] || { sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }

as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
  as_owner() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
fi

settings() {
  cat <<CONF
listen_addresses = '127.0.0.1'
port = $1
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
wal_compression = off
jit = off
fsync = on
synchronous_commit = on
timezone = 'UTC'
log_timezone = 'UTC'
CONF
  # So that ./x bench can count statements; a PostgreSQL without the module starts all the same.
  [ ! -f "$lib/pg_stat_statements.so" ] || echo "shared_preload_libraries = 'pg_stat_statements'"
}

create() {
  mkdir -p "$dir"
  if [ "$(id -u)" = 0 ]; then
    chown postgres:postgres "$dir"
    as_owner test -w "$dir" ||
      die "user postgres cannot reach $dir: each folder above it must allow it to pass (chmod o+x)"
  fi
  as_owner chmod 700 "$dir"
  (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | as_owner tee "$dir/password" >/dev/null)
  as_owner rm -rf "$dir/data.new"
  as_owner env LC_ALL=C.UTF-8 "$bin/initdb" -D "$dir/data.new" -U orderd --pwfile="$dir/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-instructions >/dev/null
  echo "include = 'orderd.conf'" | as_owner tee -a "$dir/data.new/postgresql.conf" >/dev/null
  as_owner mv "$dir/data.new" "$dir/data"
}

running() { as_owner "$bin/pg_ctl" status -D "$dir/data" >/dev/null 2>&1; }
port() { as_owner sed -n 's/^port = //p' "$dir/data/orderd.conf" 2>/dev/null; }
url() { echo "postgresql://orderd:$(as_owner cat "$dir/password")@127.0.0.1:$(port)/${1:-postgres}"; }

start() {
  [ -x "$bin/postgres" ] || die "PostgreSQL 15 is not installed ($bin/postgres)"
  as_owner test -f "$dir/data/PG_VERSION" 2>/dev/null || create
  if ! running; then
    local port=${1:-$(port)}
    if [ -z "$port" ] || port_taken "$port"; then port=$(free_port); fi
    settings "$port" | as_owner tee "$dir/data/orderd.conf" >/dev/null
    as_owner "$bin/pg_ctl" start -t $start_seconds_max -D "$dir/data" -l "$dir/log" </dev/null >/dev/null ||
      { as_owner tail -n 20 "$dir/log" >&2; die "PostgreSQL did not start; its log is $dir/log"; }
  fi
  url
}

dir=$(realpath -m "$dir")
[ ! -d "$dir" ] || [ -x "$dir" ] || die "cannot enter $dir: it belongs to $(stat -c %U "$dir")"
cd /                                              # user postgres may be kept out of the caller's folder
case $command in
  start) start "${3:-}" ;;
  stop) ! running || as_owner "$bin/pg_ctl" stop -w -t 60 -m fast -D "$dir/data" >/dev/null ;;
  kill) ! running || as_owner "$bin/pg_ctl" stop -w -t 60 -m immediate -D "$dir/data" >/dev/null ;;
  url) url "${3:-}" ;;
  *) die "postgres.sh knows start, stop, kill and url, not '$command'" ;;
esac
