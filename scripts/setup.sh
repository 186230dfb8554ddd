#!/usr/bin/env bash
# What the tests need beside Rust, on Debian 12: installs it when root, says it when not.
set -euo pipefail
#        package            the command that proves it is there
needs=( "gcc                gcc"            # SQLite comes as C
        "sip-tester         sipp"           # another maker's caller
        "baresip-core       baresip"        # another maker's phone
        "kamailio           kamailio"       # another maker's border
        "kamailio-tls-modules /usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so"
        "linphone-cli       linphonec"      # another maker's phone, with SHA-256
        "curl               curl"
        "chromium           chromium"       # whole calls at the pages
        "python3            python3" )      # the harness
missing=()
for need in "${needs[@]}"; do
    read -r package command <<<"$need"
    command -v "$command" >/dev/null || [ -e "$command" ] || missing+=("$package")
done
if ! command -v cargo >/dev/null; then
    echo "setup: Rust is missing; install it from https://rustup.rs, then run this again" >&2
    exit 1
fi
# Debian 12 packages an older one; what builds the pages needs this.
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
    echo "setup: Node.js 20.19 or later is missing; install it from https://nodejs.org, then run this again" >&2
    exit 1
fi
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ]; then
    echo "setup: missing on this machine; as root, run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
