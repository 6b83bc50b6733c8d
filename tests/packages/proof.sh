#!/usr/bin/env bash
# The life of an installation, in a chroot with nothing but Debian's minimum, PostgreSQL and the packages: set
# up the previous build (tests/packages/previous names its commit), start, order, add a plugin that was built
# with its orderd-plugin-dev alone, upgrade with orders in flight, new tables and a changed configuration,
# take in a provider made from the template, remove, install again, purge. Then the units, in a root that
# systemd boots (systemd.sh). Needs root, mmdebstrap, and the network for Debian's packages; the chroots'
# archives are kept in .orderd/proof, the .deb in build/packages.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
state=$root/.orderd/proof
. "$root/tests/env/lib.sh"
. "$here/roots.sh"

[ -n "${ORDERD_TEST_PACKAGES:-}" ] || { say "only ./x test packages runs this"; exit 77; }
[ "$(id -u)" = 0 ] || { say "needs root for a chroot"; exit 77; }
previous=$(<"$here/previous")
work=
trap '[ -z "$work" ] || rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

done_so_far() { say "-- $*"; }

# packages FOLDER TREE [VERSION]
packages() {
  "$2/x" package deb ${3:+--version "$3"} >/dev/null
  mkdir -p "$1"
  cp "$2"/build/packages/deb/*.deb "$1/"
  rm -f "$1"/*-dbgsym_*
}

# The names behind Depends of all packages, without our own.
dependencies() {
  for deb in "$@"; do dpkg-deb -f "$deb" Depends; done | tr ',' '\n' |
    sed 's/ *\([a-z0-9][a-z0-9.+-]*\).*/\1/' | grep -v -e '^orderd' -e '^$' | sort -u | paste -sd,
}

mkdir -p "$state"
work=$(mktemp -d /var/tmp/orderd-proof.XXXXXX)
# Always the same folder, so that the compiler cache knows it again.
rm -rf "$state/previous-source"
git -c safe.directory='*' clone -q "$root" "$state/previous-source"
git -C "$state/previous-source" checkout -q "$previous" ||
  die "this clone lacks the commit of the previous build, $previous: git fetch --unshallow"
packages "$work/previous" "$state/previous-source" "0.0.9+${previous:0:7}"
packages "$work/debs" "$root"
done_so_far "built the packages of this version and of the previous one"

# An author has g++, CMake and -dev: the previous version's for the one plugin, this one's for the other.
root_of builder "g++,cmake,make,pkgconf,$(dependencies "$work"/debs/orderd-plugin-dev_*.deb)"
cp "$work"/previous/orderd-plugin-dev_*.deb "$work/builder/"
chroot "$work/builder" sh -ec 'dpkg -i /orderd-plugin-dev_*.deb >/dev/null
  cp -r /usr/share/doc/orderd-plugin-dev/examples/fraud_check /fraud
  cmake -S /fraud -B /fraud/build -DCMAKE_BUILD_TYPE=Release >/dev/null
  cmake --build /fraud/build >/dev/null
  pkg-config --exists orderd-plugin
  rm /orderd-plugin-dev_*.deb'
cp "$work"/debs/orderd-plugin-dev_*.deb "$work/builder/"
chroot "$work/builder" sh -ec 'dpkg -i /orderd-plugin-dev_*.deb >/dev/null
  cd / && orderd-plugin new payment --lang cpp acme_pay
  cmake -S acme_pay -B acme_pay/build -DCMAKE_BUILD_TYPE=Release >/dev/null
  cmake --build acme_pay/build >/dev/null
  orderd-plugin-check acme_pay/build/plugins/acme_pay.so >/dev/null'
done_so_far "built a step and a provider with orderd-plugin-dev alone; the checker agrees"

# systemd is there before: what its own tmpfiles.d makes is not left behind by these packages.
root_of piuparts "systemd,eatmydata,$(dependencies "$work"/debs/*.deb)"
piuparts -d bookworm -e "$work/piuparts" "$work"/debs/*.deb >"$state/piuparts.log" 2>&1 ||
  { grep -A 20 'ERROR: FAIL' "$state/piuparts.log" >&2; die "piuparts failed, see $state/piuparts.log"; }
done_so_far "piuparts: installed and purged, nothing is left"

root_of merchant "postgresql,$(dependencies "$work"/{previous,debs}/*.deb)"
cp -r "$work/previous" "$work/debs" "$work/merchant/"
mkdir "$work/merchant/fraud"
cp "$work/builder/fraud/build/plugins/fraud_check.so" "$work/builder/fraud"/*.json "$work/merchant/fraud/"
cp "$work/builder/acme_pay/build/plugins/acme_pay.so" "$work/merchant/"
# Processes, mounts and the network of the chroot end with this one.
unshare --mount --pid --net --ipc --fork --kill-child "$here/life.sh" "$work/merchant"

root_of booted "systemd,postgresql,$(dependencies "$work"/debs/*.deb)"
cp -r "$work/debs" "$work/booted/"
status=0
timeout -s KILL 180 \
  unshare --mount --pid --net --ipc --fork --kill-child "$here/systemd.sh" "$work/booted" || status=$?
[[ $status =~ ^(0|77)$ ]] || die "the units do not hold under systemd: status $status (137: after 180 s)"
say "all of it held"
