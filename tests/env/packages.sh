#!/usr/bin/env bash
# packages.sh PURPOSE... : installs what packages.txt lists for these purposes and this machine lacks.
# Says first what it is about to install; does nothing, and needs no rights, when nothing is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

lists_days_max=7                                # older apt lists are fetched again before an installation
no_cluster=/etc/postgresql-common/createcluster.d/orderd-no-main-cluster.conf

wanted() {
  local purpose
  for purpose in "$@"; do sed -n "s/^$purpose://p" "$here/packages.txt"; done |
    tr -s ' ' '\n' | sed '/^$/d' | sort -u
}

missing() {
  comm -23 <(wanted "$@") \
    <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^.i  *//p' | sort -u)
}

# Debian's postgresql package makes and starts a system cluster unless told not to while it is installed.
forbid_cluster() {
  as_root mkdir -p "${no_cluster%/*}"
  echo "create_main_cluster = false" | as_root tee "$no_cluster" >/dev/null
  trap 'as_root rm -f "$no_cluster"; as_root rmdir --ignore-fail-on-non-empty "${no_cluster%/*}"' EXIT
}

lists_are_fresh() {
  local fresh=(-maxdepth 1 -name '*_Packages*' -mtime "-$lists_days_max")
  [ -n "$(find /var/lib/apt/lists "${fresh[@]}" -print -quit 2>/dev/null)" ]
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

command -v dpkg-query >/dev/null || die "no dpkg here: orderd builds on Debian 12; see tests/env/packages.txt"
mapfile -t packages < <(missing "$@")
[ ${#packages[@]} -gt 0 ] || exit 0

say "These Debian packages are missing and will be installed:"
say "${packages[*]}" | fold -s -w 100 | sed 's/^/  /'
as_root() { "$@"; }
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null ||
    die "not root and no sudo. As root, run: apt-get install --no-install-recommends ${packages[*]}"
  as_root() { sudo "$@"; }
  # Without a terminal nobody could type the password.
  [ -t 0 ] || sudo -n true || die "sudo asks for a password: run this in a terminal, or once as root"
fi

lists_are_fresh || { say "Fetching apt's package lists"; apt update; }
case " ${packages[*]} " in *" postgresql"*) forbid_cluster ;; esac
install() { apt install -y --no-install-recommends "${packages[@]}"; }
install || { say "apt-get failed; once more with fresh package lists"; apt update && install; } ||
  die "apt-get could not install: ${packages[*]}"
