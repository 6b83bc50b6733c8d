# Sourced. A shop with orderd in $merchant, a root, and on ports of this machine: what life.sh and systemd.sh
# ask of it. $key is an API key, and $placed names the file of the orders that were answered.
api=http://127.0.0.1
placed=$merchant/run/placed

held() { say "-- $*"; }
# await WHAT COMMAND...: a minute long; show_logs is the script's own.
await() {
  local what=$1
  shift
  for _ in {1..300}; do "$@" >/dev/null 2>&1 && return; sleep 0.2; done
  show_logs
  die "waited in vain for $what"
}

# place PORT COUNT [QUANTITY [TOKEN]]
place() {
  local answer
  local items='[{"sku":"SKU-0001","quantity":'${3:-1}',"unitPrice":499}]'
  local payment='{"method":"card","token":"'${4:-tok_ok}'"}'
  for ((i = 0; i < $2; i++)); do
    answer=$(curl -fsS "$api:$1/api/orders" -H "Authorization: Bearer $key" \
      -H 'Content-Type: application/json' \
      -d '{"customerId":"c-1","currency":"EUR","items":'"$items"',"payment":'"$payment"'}')
    sed 's/^{"id":"\([^"]*\)".*/\1/' <<<"$answer" | tee -a "$placed"
  done
}
get() { curl -fs "$api:$1$2" -H "Authorization: Bearer $key"; }
post() {
  curl -fsS "$api:$1$2" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d "$3"
}
status() { get "$1" "/api/orders/$2" | sed 's/.*"status":"\([A-Z_]*\)","version".*/\1/'; }
reached() { [ "$(status "$1" "$2")" = "$3" ]; }
all_confirmed() { while read -r id; do reached "$1" "$id" CONFIRMED || return 1; done <"$placed"; }
