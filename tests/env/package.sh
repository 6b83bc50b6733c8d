#!/usr/bin/env bash
# package.sh deb|rpm [--version V] [--check]: `./x package`. Builds in a throw-away copy of what git knows, so
# that nothing of a build folder or an editor gets into a package; the result is in build/packages/.
#   --version V  another version than the changelog's, as for an upgrade that is to be tried
#   --check      lintian and blhc (deb), rpmlint (rpm), and a second build that must be the same, byte by byte
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
env=$root/tests/env state=$root/.orderd out=$root/build/packages
. "$env/lib.sh"

kind=${1:-} version= check=
[ $# = 0 ] || shift
while [ $# -gt 0 ]; do
  case $1 in
    --version) version=${2:-} && [ $# -gt 1 ] && shift ;;
    --check) check=1 ;;
    *) die "package does not know '$1'; see ./x help" ;;
  esac
  shift
done
[[ $kind =~ ^(deb|rpm)$ ]] || die "package makes deb or rpm, not '$kind'"
[[ $version =~ ^([0-9][0-9a-z.+~]*)?$ ]] || die "a version is like 0.2.0 or 0.1.0+next1, not '$version'"

work=
trap 'end_step; [ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

# The time of the last commit stands for all times in a package.
SOURCE_DATE_EPOCH=$(git -c safe.directory='*' -C "$root" log -1 --format=%ct)
# With a base folder the compiler cache puts other paths into the debug information than there are without.
export SOURCE_DATE_EPOCH CCACHE_BASEDIR=

copy_sources() {
  mkdir -p "$1"
  git -c safe.directory='*' -C "$root" ls-files -co --exclude-standard -z |
    (cd "$root" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh |
      tar -c --null -T - --mode=go=rX,u+rw --mtime="@$SOURCE_DATE_EPOCH") | tar -x -C "$1"
}

# deb FOLDER: the packages, beside FOLDER/source.
deb() {
  copy_sources "$1/source"
  mv "$1/source/packaging/debian" "$1/source/debian"
  if [ -n "$version" ]; then
    sed -i "1s/(.*)/($version)/" "$1/source/debian/changelog"
  fi
  # debhelper gives each build a home of its own, where no compiler cache is.
  step env -C "$1/source" CCACHE_DIR="${CCACHE_DIR:-${HOME:-/root}/.cache/ccache}" \
    DEB_BUILD_OPTIONS="parallel=$(nproc) nocheck" \
    dpkg-buildpackage -us -uc -b >"$1/log" 2>&1 ||
    { tail -n 30 "$1/log" >&2; die "dpkg-buildpackage failed; its log was shown"; }
}

rpm() {
  copy_sources "$1/orderd"
  mkdir -p "$1"/{SOURCES,SPECS}
  local number=${version:-$(sed -n '1s/.*(\(.*\)).*/\1/p' "$root/packaging/debian/changelog")}
  tar -C "$1" --sort=name --owner=0 --group=0 --mtime="@$SOURCE_DATE_EPOCH" \
    -czf "$1/SOURCES/orderd.tar.gz" orderd
  cp "$root/packaging/rpm/orderd.spec" "$1/SPECS/"
  # Debian's rpm knows no installed packages: what must be there is tests/env/packages.txt.
  step rpmbuild -bb --nodeps -D "_topdir $1" -D "orderd_version $number" \
    -D "use_source_date_epoch_as_buildtime 1" -D "clamp_mtime_to_source_date_epoch 1" \
    -D "_buildhost orderd" "$1/SPECS/orderd.spec" >"$1/log" 2>&1 ||
    { tail -n 30 "$1/log" >&2; die "rpmbuild failed; its log was shown"; }
}

collect() {
  mkdir -p "$out/$kind/debug"
  rm -f "$out/$kind"/*.$kind "$out/$kind"/debug/*.$kind
  # A pattern over the packages shall not take their debug symbols along.
  find "$1" -maxdepth 3 -name "*.$kind" ! -name '*-dbgsym_*' -exec cp {} "$out/$kind/" \;
  find "$1" -maxdepth 3 -name "*-dbgsym_*.$kind" -exec cp {} "$out/$kind/debug/" \;
  cp "$1/log" "$out/$kind/build.log"
}

check_deb() {
  lintian --fail-on error,warning --profile debian "$work"/one/*.changes
  say "lintian: no errors, no warnings"
  # What ccache answers prints the same command lines.
  blhc --all --ignore-arch '!amd64' "$work/one/log" && say "blhc: all hardening flags are used"
}
check_rpm() {
  rpmlint -c "$root/packaging/rpm/rpmlint.toml" "$out"/rpm/*.rpm
}

same_again() {
  "$kind" "$work/two"
  local file name
  while read -r file; do
    name=$(basename "$file")
    cmp "$file" "$(find "$work/two" -maxdepth 3 -name "$name")" || die "$name differs from build to build"
  done < <(find "$work/one" -maxdepth 3 -name "*.$kind")
  say "a second build, in another folder, gave the same bytes"
}

mkdir -p "$state" "$root/build"
"$env/packages.sh" build package
# Always the same folder, so that the compiler cache knows it again.
exec 8>"$state/package.lock"
flock -n 8 || die "./x package is already running in this clone"
work=$root/build/packages/work
rm -rf "$work"
say "== $kind packages in $work"
begin=$SECONDS
# What a compiler cache adds to the compiler's options is in the debug information.
[ -z "$check" ] || export CCACHE_DISABLE=1
"$kind" "$work/one"
collect "$work/one"
say "== $kind packages: $((SECONDS - begin)) s"
ls -1 "$out/$kind"/*."$kind"
[ -z "$check" ] || { "check_$kind" && same_again; }
