#!/bin/sh
# exports.sh PLUGIN...: each exports its entry function and nothing else.
set -eu
for plugin in "$@"; do
  # A sanitizer's own symbols are no business of ours.
  exported=$(nm -D --defined-only "$plugin" | awk '{print $3}' | grep -Ev '^__(asan|ubsan|tsan|odr)' || true)
  [ "$exported" = orderd_plugin_entry_v1 ] || { echo "$plugin exports: $exported"; exit 1; }
done
