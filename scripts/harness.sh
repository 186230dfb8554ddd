#!/usr/bin/env bash
# The figures of another maker's load machine, in the order of the promises; each line is one engine
# start. Give the machine's folder, or have it beside this repository. About 15 minutes, or one
# scenario: scripts/harness.sh low kind=early n=300 rate=5
set -euo pipefail
cd "$(dirname "$0")/.."
harness=${HARNESS:-../shared/harness}
if [ ! -f "$harness/driver.py" ]; then
    echo "harness: no driver.py in $harness; set HARNESS to the machine's folder" >&2
    exit 1
fi
cargo build --quiet --release
export ACD_OUT=${ACD_OUT:-$PWD/out/harness}
mkdir -p "$ACD_OUT"
run() { echo "== $*"; python3 "$harness/driver.py" tests/harness/bandeau.json "$@"; }
if [ $# -gt 0 ]; then run "$@"; exit; fi
run low kind=answered n=300 rate=5
run low kind=early n=300 rate=5
run park n=500
run ramp media=1 rates=50,100
run bridge n=200
run prio n=100
run startup n=3
echo "results: $ACD_OUT/results.jsonl"
