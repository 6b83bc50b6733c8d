#!/bin/sh
# headers.sh PLUGIN_API: every header compiles alone, warning-free, in all the languages it promises.
set -eu
api=$1
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
: >"$empty/one.c"
: >"$empty/one.cpp"
warnings="-Wall -Wextra -pedantic -Werror -Wno-unused-function"
compiled=0
for compiler in gcc clang; do
  command -v $compiler >/dev/null || { echo "no $compiler here: not checked with it"; continue; }
  for header in "$api"/include/orderd/*.h; do
    for standard in c11 c17; do
      $compiler -std=$standard $warnings -fsyntax-only -include "$header" "$empty/one.c"
    done
    for standard in c++17 c++20; do
      $compiler -std=$standard $warnings -fsyntax-only -include "$header" "$empty/one.cpp"
    done
    compiled=$((compiled + 1))
  done
  for standard in c++17 c++20; do
    $compiler -std=$standard $warnings -Wshadow -Wnon-virtual-dtor -I"$api/include" -fsyntax-only \
      -include "$api/sdk/orderd/plugin.hpp" "$empty/one.cpp"
  done
done
for header in "$api"/sdk/orderd/*.hpp; do
  g++ -std=c++17 $warnings -I"$api/include" -I"$api/sdk" -fsyntax-only -include "$header" "$empty/one.cpp"
done
echo "$compiled headers compiled in four standards"
[ $compiled -gt 0 ]
if grep -nE '#include *[<"](libpq|postgres)' "$api"/include/orderd/*.h; then
  echo "a header needs PostgreSQL's headers"
  exit 1
fi
