#!/usr/bin/env bash
# Installs cargo-deny into .tools/, once. Not optimised: it runs for a second, building it fast counts.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.20.2
if [ "$(.tools/bin/cargo-deny --version 2>/dev/null)" = "cargo-deny $version" ]; then exit 0; fi
export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off
CARGO_TARGET_DIR="$PWD/target/tools" cargo install --quiet cargo-deny --version "$version" --locked --root .tools
rm -rf target/tools
