# Sourced. root_of NAME PACKAGES: a minimal Debian with these (separated by commas), made once and kept as a
# tar in $state, unpacked into $work/NAME.
root_of() {
  local tar=$state/$1-$(printf %s "$2" | sha256sum | cut -c 1-12).tar
  [ -f "$tar" ] || {
    mmdebstrap --quiet --format=tar --variant=minbase ${2:+--include="$2"} bookworm "$tar.new"
    mv "$tar.new" "$tar"
  }
  mkdir "$work/$1"
  tar -x --numeric-owner -C "$work/$1" -f "$tar"
}
