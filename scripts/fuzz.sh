#!/usr/bin/env bash
# Each fuzz target of the sip crate for SECONDS (12 by default: a minute in all), on the stable toolchain.
# `scripts/fuzz.sh 600` is the long run; `scripts/fuzz.sh 600 endpoint` one target. What is found stays in
# target/fuzz-found; a crash prints its input's path and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-12}
targets=(message headers sdp framing endpoint)
if [ $# -gt 1 ]; then targets=("${@:2}"); fi

version=0.13.2
if [ "$(.tools/bin/cargo-fuzz --version 2>/dev/null)" != "cargo-fuzz $version" ]; then
    CARGO_TARGET_DIR="$PWD/target/tools" cargo install --quiet cargo-fuzz --version "$version" --locked --root .tools
    rm -rf target/tools
fi
export CARGO_TARGET_DIR="$PWD/target/fuzz" PATH="$PWD/.tools/bin:$PATH"
cd sip
cargo fuzz build --sanitizer none >/dev/null 2>"$CARGO_TARGET_DIR.log" || { cat "$CARGO_TARGET_DIR.log"; exit 1; }
for target in "${targets[@]}"; do
    found="$CARGO_TARGET_DIR-found/$target"
    mkdir -p "$found"
    # The first folder takes what is found, the second is the small one of the tree.
    log="$CARGO_TARGET_DIR-found/$target.log"
    if ! cargo fuzz run --sanitizer none "$target" "$found" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -timeout=10 -dict=fuzz/sip.dict -max_len=4096 >"$log" 2>&1; then
        tail -40 "$log"
        exit 1
    fi
    printf '%-9s %s\n' "$target" "$(grep -a '^Done ' "$log")"
done
