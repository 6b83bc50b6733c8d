#!/usr/bin/env bash
# The life of an installation, in a chroot with nothing but Debian's minimum, PostgreSQL and the packages: set
# up, start, order, add a plugin that was built with orderd-plugin-dev alone, upgrade with orders in flight
# and a changed configuration, remove, install again, purge. Needs root, mmdebstrap, and the network for
# Debian's packages; the folders of roots and the .deb files are kept in .orderd/proof and build/packages.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
state=$root/.orderd/proof
. "$root/tests/env/lib.sh"
. "$here/roots.sh"

[ -n "${ORDERD_TEST_PACKAGES:-}" ] || { say "only ./x test packages runs this"; exit 77; }
[ "$(id -u)" = 0 ] || { say "needs root for a chroot"; exit 77; }
next=0.1.0+next1
work=
trap '[ -z "$work" ] || rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

done_so_far() { say "-- $*"; }

# packages VERSION|"" FOLDER
packages() {
  rm -rf "$2"
  "$root/x" package deb ${1:+--version "$1"} >/dev/null
  mkdir -p "$2"
  cp "$root"/build/packages/deb/*.deb "$2/"
  rm -f "$2"/*-dbgsym_*
}

# The names behind Depends of all packages, without our own.
dependencies() {
  for deb in "$@"; do dpkg-deb -f "$deb" Depends; done | tr ',' '\n' |
    sed 's/ *\([a-z0-9][a-z0-9.+-]*\).*/\1/' | grep -v -e '^orderd' -e '^$' | sort -u | paste -sd,
}

# The next version with a configuration file that changed: dpkg must ask, or keep the administrator's.
change_conffile() {
  local deb
  deb=$(echo "$1"/orderd_*.deb)
  dpkg-deb -R "$deb" "$work/repacked"
  echo '# A line of the next version.' >>"$work/repacked/etc/orderd/orderd.properties"
  (cd "$work/repacked" && local sum && sum=$(md5sum etc/orderd/orderd.properties) &&
    sed -i "s|^.*  etc/orderd/orderd.properties$|$sum|" DEBIAN/md5sums)
  dpkg-deb --root-owner-group -b "$work/repacked" "$deb" >/dev/null
}

mkdir -p "$state"
work=$(mktemp -d /var/tmp/orderd-proof.XXXXXX)
packages $next "$work/next"
change_conffile "$work/next"
packages "" "$work/debs"
done_so_far "built the packages of this version and of $next"

root_of builder "g++,cmake,make,pkgconf,$(dependencies "$work"/debs/orderd-plugin-dev_*.deb)"
cp "$work"/debs/orderd-plugin-dev_*.deb "$work/builder/"
chroot "$work/builder" sh -ec 'dpkg -i /orderd-plugin-dev_*.deb >/dev/null
  cp -r /usr/share/doc/orderd-plugin-dev/examples/fraud_check /fraud
  cmake -S /fraud -B /fraud/build -DCMAKE_BUILD_TYPE=Release >/dev/null
  cmake --build /fraud/build >/dev/null
  pkg-config --exists orderd-plugin'
done_so_far "built a plugin with orderd-plugin-dev alone"

# systemd is there before: what its own tmpfiles.d makes is not left behind by these packages.
root_of piuparts "systemd,eatmydata,$(dependencies "$work"/debs/*.deb)"
piuparts -d bookworm -e "$work/piuparts" "$work"/debs/*.deb >"$state/piuparts.log" 2>&1 ||
  { grep -A 20 'ERROR: FAIL' "$state/piuparts.log" >&2; die "piuparts failed, see $state/piuparts.log"; }
done_so_far "piuparts: installed and purged, nothing is left"

root_of merchant "postgresql,$(dependencies "$work"/debs/*.deb)"
cp -r "$work/debs" "$work/next" "$work/merchant/"
mkdir "$work/merchant/fraud"
cp "$work/builder/fraud/build/plugins/fraud_check.so" "$work/builder/fraud"/*.json "$work/merchant/fraud/"
# Processes, mounts and the network of the chroot end with this one.
unshare --mount --pid --net --ipc --fork --kill-child "$here/life.sh" "$work/merchant" $next
say "all of it held"
