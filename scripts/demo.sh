#!/usr/bin/env bash
# Everything on this machine: an address and logins for the pages, and the room's board in this terminal
# (`q` leaves). Arguments go to `bandeau demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d web/dist ] || make web
cargo build --quiet --release
exec target/release/bandeau demo "$@"
