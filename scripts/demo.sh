#!/usr/bin/env bash
# Everything on this machine: prints an address and logins for the pages; Ctrl-C leaves. Arguments go to
# `bandeau demo` (`--board` draws the room in this terminal).
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d web/dist ] || make web
cargo build --quiet --release
exec target/release/bandeau demo "$@"
