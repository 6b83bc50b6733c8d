#!/bin/sh
# abidiff.sh INCLUDE [--update]: builds the anchor object and compares its types with anchor.abi.
set -eu
here=$(dirname "$0")
command -v abidiff >/dev/null && command -v abidw >/dev/null || { echo "no libabigail here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -std=c11 -g -O0 -fPIC -shared -I"$1" -o "$work/anchor.so" "$here/anchor.c"
if [ "${2:-}" = --update ]; then
  abidw --no-corpus-path --no-comp-dir-path --no-show-locs --out-file "$here/anchor.abi" "$work/anchor.so"
  exit
fi
abidiff --no-show-locs "$here/anchor.abi" "$work/anchor.so" || {
  echo "The plugin ABI changed. If only a tail grew or an extension came: $0 $1 --update,"
  echo "and say why in the commit."
  exit 1
}
