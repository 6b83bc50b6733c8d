#!/bin/sh
# layout.sh PROGRAM GOLDEN: fails if the ABI's layout or constants are not those written down. A field or
# constant added at the end is allowed by the ABI's rules; then renew the golden file: PROGRAM > GOLDEN.
set -eu
"$1" | diff -u "$2" - || {
  echo "The plugin ABI changed. Plugins that exist were built for $2: only additions at a tail are allowed."
  exit 1
}
