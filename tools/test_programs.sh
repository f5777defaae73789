#!/bin/sh
# Installs the programs that some tests drive, where that is possible without asking; every such
# test skips visibly where its program is absent, so nothing here may fail the run.
# Beyond CI only the browser is installed: Debian's mosquitto and prometheus start services.
set -u
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need chromium chromium
if [ -n "${CI:-}" ]; then
  need mosquitto mosquitto
  need mosquitto_pub mosquitto-clients
  need promtool prometheus
fi
[ -n "$missing" ] || exit 0

echo "installing for the tests:$missing"
log=$(mktemp)
# shellcheck disable=SC2086
if apt-get update >"$log" 2>&1 &&
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >>"$log" 2>&1; then
  :
else
  echo "could not install$missing; tests that need them will be skipped"
  tail -n 3 "$log"
fi
rm -f "$log"
