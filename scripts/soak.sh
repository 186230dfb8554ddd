#!/usr/bin/env bash
# Calls in a row against a running `serve`: its memory after the first tenth and at the end may differ by 2 MB,
# and nothing may be left in its maps. 200 000 by default (about 20 minutes a hundred thousand at 100 calls/s);
# scripts/soak.sh COUNT for a shorter one. Everything stays on the loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-200000}
rate=${RATE:-150}
phones=${PHONES:-60} first=${FIRST:-17000} # desk phones, at consecutive ports from here
settle=${SETTLE:-35}              # seconds: the longest timer of a transaction
bandeau=${BANDEAU:-target/release/bandeau}
[ -x "$bandeau" ] || cargo build --quiet --release
here=$(mktemp -d)
engine="" load=""
clean() {
    for pid in $load $engine; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$here"
}
trap clean EXIT

port() { python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM)
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' "$1"; }
sip=$(port udp) http=$(port tcp)
cat >"$here/plan.toml" <<'PLAN'
plan    = "soak"
version = "1"
[numbers]
"15" = "samu"
[class]
vital       = { fence = true }
unqualified = { target = "20s" }
[queue.front]
skills = ["arm"]
offer  = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
hold   = "answered"
[[route]]
name     = "default"
priority = 0
then     = { queue = "front", class = "unqualified" }
PLAN
cat >"$here/bandeau.toml" <<CONFIG
[node]
state_dir = "state"
drain     = "40s"
[sip]
listen = ["udp:127.0.0.1:$sip"]
[media]
bind  = "127.0.0.1"
ports = "${MEDIA:-21000-24999}"
[http]
listen = "127.0.0.1:$http"
[log]
level = "warn"
[[trunk]]
name  = "soak"
peers = ["127.0.0.1"]
[[centre]]
name    = "soak"
plan    = "plan.toml"
wrap_up = "0s"
CONFIG
for i in $(seq 0 $((phones - 1))); do
    at="127.0.0.1:$((first + i))"
    cat >>"$here/bandeau.toml" <<AGENT
[[centre.agent]]
name = "a$i"
role = "agent"
skills = ["arm"]
always_ready = true
phone = { uri = "sip:a$i@$at", address = "$at" }
AGENT
done
"$bandeau" serve --config "$here/bandeau.toml" >"$here/log" 2>&1 &
engine=$!
for _ in $(seq 100); do curl -fs "http://127.0.0.1:$http/readyz" >/dev/null 2>&1 && break; sleep 0.1; done
curl -fs "http://127.0.0.1:$http/readyz" >/dev/null || { echo "soak: the engine did not start:" >&2; cat "$here/log" >&2; exit 1; }

resident() { awk '/^VmRSS:/ { print $2 }' "/proc/$engine/status"; }
# Calls of one stretch: answered by the queue, hung up by the caller.
stretch() {
    "$bandeau" load --json --target "127.0.0.1:$sip" --count "$1" --rate "$rate" --talk 0.05 --patience 10 \
        --phones "$phones" --phone-port "$first" --ring 0 \
        --seconds $(($1 / rate + 60)) >"$here/report" 2>>"$here/log" &
    load=$!
    wait "$load" || { tail -3 "$here/log" >&2; exit 1; }
    load=""
    python3 - "$here/report" "$1" <<'PY'
import json, sys
report, wanted = json.load(open(sys.argv[1])), int(sys.argv[2])
failed = report.get("failed", 0)
print(f"soak: {wanted} calls, {report.get('completed', 0)} completed, {failed} failed", flush=True)
sys.exit(1 if failed else 0)
PY
}
warm=$((count / 10))
stretch "$warm"
sleep "$settle"
before=$(resident)
left=$((count - warm))
while [ "$left" -gt 0 ]; do
    part=$((left > 50000 ? 50000 : left))
    stretch "$part"
    left=$((left - part))
done
sleep "$settle"
after=$(resident)
echo "soak: memory $before kB after $warm calls, $after kB after $count"
live=$(curl -fs "http://127.0.0.1:$http/metrics" | awk '/^bandeau_(waiting|call_parts)/ { sum += $NF } END { print sum + 0 }')
refused=$(curl -fs "http://127.0.0.1:$http/metrics" | awk '/^bandeau_sip_refused_total.*trunk/ { sum += $NF } END { print sum + 0 }')
kill -TERM "$engine"
ended=0; wait "$engine" || ended=$?
engine=""
cat "$here/log"
[ "$ended" -eq 0 ] || { echo "soak: the engine ended with $ended" >&2; exit 1; }
[ "$live" = 0 ] || { echo "soak: $live entries are left in its maps" >&2; exit 1; }
[ "$refused" = 0 ] || { echo "soak: $refused calls were refused" >&2; exit 1; }
[ $((after - before)) -le 2048 ] || { echo "soak: memory grew by $((after - before)) kB" >&2; exit 1; }
echo "soak: passed"
