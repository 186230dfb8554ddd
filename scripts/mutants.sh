#!/usr/bin/env bash
# Installs cargo-mutants into .tools/, once, and runs a part of the mutants of .cargo/mutants.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
version=27.1.0
if [ "$(.tools/bin/cargo-mutants mutants --version 2>/dev/null)" != "cargo-mutants $version" ]; then
    CARGO_TARGET_DIR="$PWD/target/tools" cargo install --quiet cargo-mutants --version "$version" --locked --root .tools
    rm -rf target/tools
fi
exec .tools/bin/cargo-mutants mutants --package engine --shard "${1:-0/1}" --output target/mutants
