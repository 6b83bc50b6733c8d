#!/usr/bin/env bash
# systemd.sh ROOT: the units under a systemd that is PID 1. ROOT is a Debian with systemd and PostgreSQL, and
# has /debs, the packages. proof.sh runs this in new namespaces for processes, mounts and the network;
# systemd-nspawn makes the rest. Installed, set up and enabled as docs/packaging.md says; then a unit of each
# kind is stopped while 60 orders are in a call of an isolated plugin. Ends with 77 where no systemd can run.
set -euo pipefail
merchant=$1
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/../env/lib.sh"
. "$here/shop.sh"
console=$merchant/console system= nspawn=
orders=60

cannot() { say "-- not shown: the units under systemd as PID 1, $*"; exit 77; }
command -v systemd-nspawn >/dev/null || cannot "systemd-nspawn is not there (Debian's systemd-container)"
ip link set lo up
mount -t proc proc /proc
# What systemd-nspawn notes there ends with this script, too.
mount -t tmpfs tmpfs /run
# The layout that Debian's systemd makes. All such mounts show one tree, so there is a folder to remove.
mount -t cgroup2 cgroup2 /sys/fs/cgroup && group=$(mktemp -d /sys/fs/cgroup/orderd-proof.XXXXXX) ||
  cannot "this machine gives it no cgroup of its own"

# SIGTERM does not end the systemd of a namespace; systemd-nspawn ends with it.
end() {
  kill -KILL "$(pgrep -P "$nspawn" -x systemd || echo "$nspawn")" 2>/dev/null || true
  wait
  find "$group" -depth -type d -exec rmdir {} +
}
trap end EXIT

sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" \
  systemd-nspawn --quiet --boot --directory="$merchant" --register=no --keep-unit --settings=no \
  --link-journal=no --resolv-conf=off --timezone=off --console=read-only \
  systemd.log_target=console systemd.show_status=no </dev/null >"$console" 2>&1 &
nspawn=$!

inside() {
  nsenter -t "$system" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}
show_logs() {
  tail -n 20 "$console" >&2
  [ -z "$system" ] || inside journalctl --no-pager -n 40 -u 'orderd*' >&2 || true
}
failed() { show_logs; die "$*"; }
is_up() {
  system=$(pgrep -P "$nspawn" -x systemd) &&
    [[ $(inside systemctl is-system-running) =~ ^(running|degraded)$ ]]
}
sql() { inside runuser -u orderd -- psql -XAtqc "$1" orderd; }

await "systemd to be up" is_up
inside sh -c 'cd /debs && dpkg -i orderd_*.deb orderd-plugin-payment-simulated_*.deb \
  orderd-plugin-inventory-postgres_*.deb orderd-plugin-projection-orders-read_*.deb' \
  >"$merchant/run/install" 2>&1 || { cat "$merchant/run/install"; die "the packages cannot be installed"; }
inside orderctl setup --yes >/dev/null
inside orderctl stock demo >/dev/null
inside systemctl enable --now orderd 2>/dev/null || failed "the unit did not start"
key=$(inside orderctl keys create shop orders:read,orders:write)
await "the key to count" get 3000 /api/products
first=$(place 3000 1)
await "the first order" reached 3000 "$first" CONFIRMED
held "$(inside systemctl --version | head -n 1) is PID 1: set up, enabled and started, an order is confirmed"

# The bank notes an authorization at once, and answers after the token's milliseconds. 2: PAYMENT_AUTHORIZED.
at_the_bank() { sql "select count(*) from payment_simulated.ledger where kind = 'authorize'"; }
all_at_the_bank() { [ "$(at_the_bank)" = "$(wc -l <"$placed")" ]; }
in_a_call() { echo $(($(at_the_bank) - $(sql "select count(*) from order_events where type = 2"))); }
# stopped_in_a_call UNIT
stopped_in_a_call() {
  local placers=() placer count left died
  for _ in {1..4}; do place 3000 $((orders / 4)) 1 tok_slow_7000 >/dev/null & placers+=($!); done
  for placer in "${placers[@]}"; do wait "$placer"; done
  await "the bank to have all orders" all_at_the_bank
  count=$(in_a_call)
  [ "$count" -gt 0 ] || failed "no order is in a call"
  inside systemctl stop "$1" || failed "$1 could not be stopped"
  [ "$(inside systemctl show -P Result "$1")" = success ] ||
    failed "$1 ended with $(inside systemctl show -P Result "$1")"
  left=$(in_a_call)
  inside systemctl start "$1" || failed "$1 did not start again"
  await "all orders" all_confirmed 3000
  died=$(sql "select count(*) from saga_journal where data::text like '%PLUGIN_DIED%'")
  [ "$died" = 0 ] || failed "the stop of $1 ended the plugin's process: $died orders became UNKNOWN"
  held "stopped $1 with $count orders in a call: $((count - left)) got their answers, none became UNKNOWN"
}
stopped_in_a_call orderd
inside systemctl disable --now orderd 2>/dev/null
inside systemctl enable --now orderd@api orderd@relay orderd@saga orderd@projection 2>/dev/null ||
  failed "the units of the roles did not start"
await "the role api" get 3000 /api/products
stopped_in_a_call orderd@saga
