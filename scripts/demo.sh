#!/usr/bin/env bash
# Everything on this machine: an address and logins for the pages, and the room's board in this terminal
# (`q` leaves). Arguments go to `bandeau demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
# Pages of another version than the engine's own would not understand it.
if [ ! -f web/dist/index.html ] || [ -n "$(find web/src web/index.html web/package-lock.json -newer web/dist/index.html -print -quit)" ]; then
  make web
fi
cargo build --quiet --release
exec target/release/bandeau demo "$@"
