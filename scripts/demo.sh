#!/usr/bin/env bash
# Everything on this machine, with the board in this terminal; `q` leaves. Arguments go to `bandeau demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release
exec target/release/bandeau demo "$@"
