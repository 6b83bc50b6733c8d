#!/usr/bin/env bash
# life.sh ROOT: the part of proof.sh inside namespaces of its own. ROOT has /previous and /debs, the packages
# of two versions, /fraud, a plugin with its saga, and /acme_pay.so, a provider.
set -euo pipefail
merchant=$1
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/../env/lib.sh"
. "$here/shop.sh"

ip link set lo up
mount -t proc proc "$merchant/proc"
mount --rbind /dev "$merchant/dev"
mount -t tmpfs tmpfs "$merchant/run"

# env -i: of the machine's variables none; the rest as systemd and a login have it.
chrooted=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
  chroot "$merchant")
inside() { "${chrooted[@]}" "$@"; }
show_logs() { [ ! -f "$merchant/run/orderd.log" ] || tail -n 20 "$merchant"/run/orderd*.log >&2; }

# start NAME PORT [VARIABLE...]: the unit's ExecStart, user, credentials and capabilities, without systemd.
start() {
  local name=$1 port=$2 credentials=/run/credentials/$1
  shift 2
  rm -rf "$merchant$credentials"
  mkdir -p "$merchant$credentials"
  for file in "$merchant"/etc/orderd/secrets/*; do
    install -m 400 "$file" "$merchant$credentials/secrets_$(basename "$file")"
  done
  inside chown -R orderd:orderd "$credentials"
  # Not by the function: then the process to signal would be a shell.
  "${chrooted[@]}" setpriv --reuid=orderd --regid=orderd --init-groups --no-new-privs --bounding-set=-all -- \
    env CREDENTIALS_DIRECTORY="$credentials" ORDERD_HTTP_PORT="$port" "$@" \
    /usr/bin/orderd --config=/etc/orderd/orderd.properties >"$merchant/run/$name.log" 2>&1 &
  echo $! >"$merchant/run/$name.pid"
  await "$name to be ready" curl -fs "$api:$port/healthz/ready"
}
stop() {
  local pid
  pid=$(<"$merchant/run/$1.pid")
  kill -TERM "$pid"
  await_end "$pid" 60 || die "$1 did not end"
}

# --- install, three commands ---
host_and_plugins="orderd_*.deb orderd-plugin-payment* orderd-plugin-inventory* orderd-plugin-projection*"
inside sh -c "cd /previous && dpkg -i $host_and_plugins" \
  >"$merchant/run/install"
grep -q '  orderctl setup' "$merchant/run/install" &&
  grep -q 'systemctl enable --now orderd' "$merchant/run/install" ||
  die "the package did not print what to do next"
inside install -d -o postgres -g postgres /run/postgresql
inside pg_ctlcluster 15 main start
await "PostgreSQL" inside runuser -u postgres -- psql -c 'select 1'
echo n | inside orderctl setup >/dev/null && die "setup went on without leave"
inside orderctl setup --yes
held "set up: key, role, database and tables"
start orderd 3000
inside orderctl stock demo
! curl -fs "$api:3000/api/products" >/dev/null || die "the installed host demands no key"
key=$(inside orderctl keys create shop orders:read,orders:write)
await "the key to count" get 3000 /api/products
first=$(place 3000 1)
await "the first order" reached 3000 "$first" CONFIRMED
inside orderctl doctor >"$merchant/run/doctor" ||
  { cat "$merchant/run/doctor"; die "doctor found something"; }
held "started, ordered, examined"

# --- a plugin built elsewhere, with the -dev package alone ---
install -m 644 "$merchant/fraud/fraud_check.so" "$merchant/usr/lib/orderd/plugins/1/"
printf '%s\n' 'plugin.fraud.library = fraud_check.so' 'plugin.fraud.settings.pieces_max = 10' \
  'saga.dir = /fraud' 'saga.default = with-fraud-check' >"$merchant/etc/orderd/conf.d/fraud.properties"
inside orderd --check-config
stop orderd
start orderd 3000
cp "$placed" "$merchant/run/placed.good"
many=$(place 3000 1 11)
await "the fraud check" reached 3000 "$many" REJECTED
mv "$merchant/run/placed.good" "$placed"
held "a plugin of the merchant's own declines an order"

# --- upgrade: orders in flight, a changed conffile, a link that the administrator removed ---
sed -i 's/^#http.workers = .*/http.workers = 6/' "$merchant/etc/orderd/orderd.properties"
rm "$merchant/etc/orderd/conf.d/projection-orders-read.properties"
place 3000 40 >/dev/null
(place 3000 60 >/dev/null) &
placer=$!
inside sh -c "cd /debs && dpkg --force-confdef --force-confold -i $host_and_plugins" \
  >"$merchant/run/upgrade" 2>&1 || { cat "$merchant/run/upgrade"; die "the upgrade failed"; }
grep -q 'http.workers = 6' "$merchant/etc/orderd/orderd.properties" ||
  die "the administrator's change is lost"
[ -f "$merchant/etc/orderd/orderd.properties.dpkg-dist" ] ||
  die "the new configuration is not beside the old one"
[ ! -e "$merchant/etc/orderd/conf.d/projection-orders-read.properties" ] || die "a removed link came back"
version=$(inside dpkg-query -W -f '${Version}' orderd)
[ "$(inside orderctl version)" = "orderctl $version" ] || die "orderctl is not the new one"
! inside orderctl migrate verify >"$merchant/run/behind" || die "the tables of the previous version are taken"
inside orderctl config check
# What is compatible the new host makes itself, beside the old one.
start second 3001
inside orderctl migrate verify
place 3001 40 >/dev/null
wait "$placer"
stop orderd
place 3001 5 >/dev/null
await "all orders of both versions" all_confirmed 3001
count=$(inside runuser -u orderd -- psql -XAtqc 'select count(*) from orders' orderd)
[ "$count" = $(($(wc -l <"$placed") + 1)) ] ||
  die "$count orders are there, $(wc -l <"$placed") and one were answered"
held "upgraded with $(wc -l <"$placed") orders; two versions side by side lost none"
old=$(sed -n 2p "$placed")
post 3001 "/api/orders/$old/cancel" '{"reason":"sent back"}' >/dev/null
await "the refund" reached 3001 "$old" CANCELLED
get 3001 "/api/orders/$old" | grep -q '"status":"REFUNDED"' || die "the old order's money did not come back"
held "an order of the previous version is refunded by this one"

# --- back to the previous version, on the newer tables, and forward again ---
install_from() {
  inside sh -c "cd /$1 && dpkg --force-confdef --force-confold -i $host_and_plugins" \
    >"$merchant/run/back" 2>&1 ||
    { cat "$merchant/run/back"; die "the packages of $1 cannot be installed"; }
}
stop second
install_from previous
start back 3003
back=$(place 3003 1)
await "an order on the previous version" reached 3003 "$back" CONFIRMED
reached 3003 "$old" CANCELLED || die "the previous version shows another state of a cancelled order"
stop back
install_from debs
start second 3001
reached 3001 "$back" CONFIRMED || die "the order of the previous version is not there"
held "back to the previous version and forward again: orders are taken, none is lost"

# --- another provider, made from the template ---
install -m 644 "$merchant/acme_pay.so" "$merchant/usr/lib/orderd/plugins/1/"
printf '%s\n' 'plugin.acme.library = acme_pay.so' 'route.payment.10 = acme when method = card' \
  >"$merchant/etc/orderd/conf.d/acme.properties"
inside orderd --check-config
start swapped 3002
stop second
acme=$(place 3002 1)
await "an order of the new provider" reached 3002 "$acme" CONFIRMED
inside orderctl sagas show "$acme" | grep -q 'acme' || die "the order did not go to the new provider"
held "a provider made from the template takes the orders"

# --- packages for another ABI, wrong rights ---
mkdir -p "$merchant/abi2/DEBIAN"
printf '%s\n' 'Package: orderd-plugin-future' 'Version: 1' 'Architecture: all' \
  'Maintainer: orderd maintainers <maintainers@orderd.example>' \
  'Depends: orderd-plugin-abi-2' 'Description: for the next ABI' >"$merchant/abi2/DEBIAN/control"
inside dpkg-deb -b /abi2 /abi2.deb >/dev/null
! inside dpkg -i /abi2.deb >/dev/null 2>"$merchant/run/refused" || die "a plugin for ABI 2 was installed"
grep -q 'orderd-plugin-abi-2' "$merchant/run/refused" || die "dpkg did not say why"
inside dpkg -P orderd-plugin-future >/dev/null
chmod 644 "$merchant/etc/orderd/secrets/secret.key"
inside orderctl config check 2>"$merchant/run/refused" && die "a key that all can read was taken"
grep -q 'secrets.key_file: /etc/orderd/secrets/secret.key can be read by others: `chmod' \
  "$merchant/run/refused" ||
  die "the line does not say what to do: $(cat "$merchant/run/refused")"
chmod 600 "$merchant/etc/orderd/secrets/secret.key"
held "refused: a plugin for ABI 2, a key that others can read"

# --- remove, install again, purge ---
stop swapped
rm "$merchant"/etc/orderd/conf.d/{fraud,acme}.properties \
  "$merchant"/usr/lib/orderd/plugins/1/{fraud_check,acme_pay}.so
ours="orderd orderd-plugin-payment-simulated orderd-plugin-inventory-postgres"
ours+=" orderd-plugin-projection-orders-read orderd-plugin-payment-stripe orderd-plugin-inventory-http"
ours+=" orderd-plugin-projection-webhooks"
inside dpkg -r $ours >/dev/null 2>&1
[ -s "$merchant/etc/orderd/secrets/secret.key" ] || die "the key went with the removal"
[ ! -e "$merchant/etc/orderd/conf.d/payment-simulated.properties" ] ||
  die "a link points to a plugin that is gone"
inside sh -c "cd /debs && dpkg -i $host_and_plugins" >/dev/null
[ -L "$merchant/etc/orderd/conf.d/payment-simulated.properties" ] || die "the link did not come back"
[ ! -e "$merchant/etc/orderd/conf.d/projection-orders-read.properties" ] || die "a removed link came back"
start third 3000
await "old orders" reached 3000 "$first" CONFIRMED
stop third
inside dpkg -P $ours >/dev/null 2>&1
left=$(cd "$merchant" && find etc/orderd usr/lib/orderd usr/share/orderd var/lib/orderd \
  lib/systemd/system/orderd* 2>/dev/null || true)
[ -z "$left" ] || die "a purge left: $left"
held "removed, installed again, purged"
inside pg_ctlcluster 15 main stop
