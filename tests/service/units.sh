#!/usr/bin/env bash
# The units say nothing that systemd does not understand, and expose little: at most 1.5 of 10.
set -euo pipefail
units=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../packaging/systemd" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for unit in "$units"/*.service; do
  # The program is not installed here, and systemd looks for it.
  sed 's|/usr/bin/orderd |/bin/true |' "$unit" >"$dir/$(basename "$unit")"
done
said=$(systemd-analyze verify --man=no "$dir"/orderd.service "$dir"/orderd@api.service 2>&1 ||
  echo "failed: $?")
[ -z "$said" ] || { echo "$said"; exit 1; }
for unit in orderd.service orderd@.service; do
  systemd-analyze security --offline=true --threshold=15 "$units/$unit" >"$dir/report" ||
    { cat "$dir/report"; exit 1; }
  tail -n 1 "$dir/report"
done
cmp <(grep -v -e '^Description=' -e '^#' -e '^Environment=ORDERD_ROLES' "$units/orderd@.service") \
  <(grep -v -e '^Description=' -e '^#' "$units/orderd.service")
# A plugin may end the process with any status; only a configuration that is wrong stays down.
grep -qx 'Restart=always' "$units/orderd.service"
grep -qx 'RestartPreventExitStatus=64 78' "$units/orderd.service"
# A stop signals the host alone: plugins in processes of their own end what they have in hand.
for unit in orderd.service orderd@.service; do grep -qx 'KillMode=mixed' "$units/$unit"; done
# ExecReload's program comes with another package.
grep -q '^Depends: .*procps' "$units/../debian/control"
grep -q '^Requires: *procps-ng' "$units/../rpm/orderd.spec"
