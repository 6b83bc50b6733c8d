#!/usr/bin/env bash
# The RPM packages in a root of their own: dependencies, file lists, configuration files, links. What Fedora
# itself provides is a stub here, so this shows what the packages say, not that they run there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
state=$root/.orderd/proof
. "$root/tests/env/lib.sh"
. "$here/roots.sh"

[ -n "${ORDERD_TEST_PACKAGES:-}" ] || { say "only ./x test packages runs this"; exit 77; }
[ "$(id -u)" = 0 ] || { say "needs root for a chroot"; exit 77; }
work=
trap '[ -z "$work" ] || rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE
mkdir -p "$state"
work=$(mktemp -d /var/tmp/orderd-rpm.XXXXXX)

"$root/x" package rpm >/dev/null
rpms=("$root"/build/packages/rpm/*.rpm)
rpmlint -c "$root/packaging/rpm/rpmlint.toml" "${rpms[@]}"

root_of fedora ""
# Debian's rpm says first that one should use apt.
in_root() { rpm --root "$work/fedora" --dbpath /var/lib/rpm "$@" 2> >(grep -v "^rpm: " >&2); }
in_root --initdb

# A package that provides all that ours require and do not provide themselves.
stub() {
  {
    printf '%s\n' 'Name: stub' 'Version: 1' 'Release: 1' 'Summary: stub' 'License: none' 'BuildArch: noarch'
    rpm -qpR "${rpms[@]}" | grep -v -e '^rpmlib(' -e '^orderd' | sed 's/ .*//' |
      sort -u | sed 's/^/Provides: /'
    printf '%s\n' '%description' 'stub' '%files'
  } >"$work/stub.spec"
  rpmbuild -bb --quiet -D "_topdir $work/stub" "$work/stub.spec"
  in_root -i "$work"/stub/RPMS/noarch/stub-*.rpm
}
stub
conf=$work/fedora/etc/orderd

! in_root -i "$root"/build/packages/rpm/orderd-plugin-payment-*.rpm 2>"$work/refused" ||
  die "a plugin without a host was installed"
grep -q 'orderd-plugin-abi(1) is needed' "$work/refused" || die "rpm did not say why: $(cat "$work/refused")"
say "-- a plugin alone is refused: orderd-plugin-abi(1) is needed"

in_root -i "${rpms[@]}" >"$work/said"
grep -q 'orderctl setup' "$work/said" || die "the package did not say what to do next"
for name in payment-simulated inventory-postgres projection-orders-read payment-stripe inventory-http \
  projection-webhooks; do
  [ -L "$conf/conf.d/$name.properties" ] && [ -f "$conf/conf.d/$name.properties" ] || die "no link for $name"
done
[ "$(stat -c %a:%U "$conf/secrets")" = 700:root ] || die "secrets are not root's alone"
in_root -V $(rpm -qp --qf '%{NAME} ' "${rpms[@]}") || die "installed files differ from the packages'"
for config in orderd.properties plugins-available/payment-simulated.properties; do
  in_root -q -c orderd orderd-plugin-payment-simulated | grep -qx "/etc/orderd/$config" ||
    die "$config is no configuration file"
done
say "-- installed: files, modes, links and configuration files are as the packages say"

echo '# mine' >>"$conf/orderd.properties"
in_root -U --replacepkgs --replacefiles "${rpms[@]}" >/dev/null
grep -q '^# mine' "$conf/orderd.properties" || die "the administrator's change is lost"
say "-- installed over itself: the administrator's change is kept"

in_root -e $(rpm -qp --qf '%{NAME} ' "${rpms[@]}")
grep -q '^# mine' "$conf/orderd.properties.rpmsave" || die "the changed configuration is gone"
[ ! -e "$conf/conf.d/payment-simulated.properties" ] || die "a link points to a plugin that is gone"
[ ! -e "$work/fedora/usr/bin/orderd" ] || die "the program is still there"
say "-- removed: only what an administrator changed is left"
