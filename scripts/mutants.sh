#!/usr/bin/env bash
# Installs cargo-mutants into .tools/, once, and runs a part of the mutants of .cargo/mutants.toml: first
# against the units of the floor, the plans and assignment, which cost one build of the library and a second; then
# what they did not catch against the whole calls that hold the rules.
set -euo pipefail
cd "$(dirname "$0")/.."
version=27.1.0
if [ "$(.tools/bin/cargo-mutants mutants --version 2>/dev/null)" != "cargo-mutants $version" ]; then
    CARGO_TARGET_DIR="$PWD/target/tools" cargo install --quiet cargo-mutants --version "$version" --locked --root .tools
    rm -rf target/tools
fi

# A mutant that loops is found by the clock: unspoilt tests take a hundredth of it, and a busy machine must
# not look like one.
mutants() { .tools/bin/cargo-mutants mutants --package engine --timeout 120 "$@"; }
# It leaves with 2 when something was missed and with 3 when something looped: both are results.
looked() { [ "$1" = 2 ] || [ "$1" = 3 ]; }
quick=target/mutants/quick whole=target/mutants/whole
rm -rf "$quick" "$whole"
mkdir -p "$quick" "$whole"
# What cargo builds is said as cargo's arguments: as the tests' alone, each mutant would build every test there is.
FLOOR_SHIFTS=40 mutants --shard "${1:-0/1}" --output "$quick" -C=--lib -- -- queue:: dialplan:: assign:: || looked $?

mapfile -t survivors < <(cat "$quick"/mutants.out/{missed,timeout}.txt | sed 's/[][().*+?^$|{}\\]/\\&/g; s/.*/--re=^&$/')
calls=(adding_lower_calls callbacks clocks commands conference decisions dialplan figures hard_nights joins
    life_of_a_call losses major menus outlets pages registered_phones repeats shift_ends stages transfer)
if [ ${#survivors[@]} -gt 0 ]; then
    mutants --output "$whole" "${survivors[@]}" -C=--lib "${calls[@]/#/-C=--test=}" || looked $?
fi
# Fields left out of a struct are tried in the second pass whatever it is told: they count once.
count() { cat "$@" 2>/dev/null | sort -u | wc -l; }
caught=$(count {"$quick","$whole"}/mutants.out/caught.txt)
left=$(count "$whole"/mutants.out/{missed,timeout}.txt)
echo "mutants: $caught caught, $left left ($(count "$whole"/mutants.out/timeout.txt) of them by the clock), $(count "$quick"/mutants.out/unviable.txt) do not compile"
