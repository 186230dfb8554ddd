#!/usr/bin/env python3
"""Writes bandeau.toml and its dialplan for the load machine of another maker.

    configure.py AGENTS FOLDER

The machine plays a trunk at 127.0.0.1:6000 and one desk phone per agent at 127.0.0.1:7000+i. It
pairs legs by the caller's number and its phones are up before anybody signs in: offers are
exclusive, there is no wrap-up, and every agent is ready from the start.
"""
import pathlib
import sys

AGENTS, FOLDER = int(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
NNN = f"{AGENTS:03d}"
if not 1 <= AGENTS <= 998:
    sys.exit("from 1 to 998 agents: 1999 is the queue without any")

PLAN = f"""# Written by tests/harness/configure.py.
plan    = "harness"
version = "1"

[numbers]
"1{NNN}" = "answered"
"3{NNN}" = "early"
"2{NNN}" = "vital"
"1999"   = "park"

[class]
vital       = {{ fence = true }}
unqualified = {{ target = "20s" }}

[queue.front]
skills = ["arm"]
offer  = {{ mode = "exclusive", strategy = "longest-idle", ring = "6s" }}
hold   = "answered"

[queue.park]
skills = ["nobody-has-this"]
offer  = {{ mode = "exclusive", strategy = "longest-idle", ring = "6s" }}
hold   = "answered"

[[route]]
name     = "urgent"
priority = 30
when     = {{ service = "vital" }}
then     = {{ queue = "front", class = "vital" }}

[[route]]
name     = "early media"
priority = 20
when     = {{ service = "early" }}
then     = {{ queue = "front", class = "unqualified", hold = {{ mode = "early", answer_within = "30s" }} }}

[[route]]
name     = "without agents"
priority = 10
when     = {{ service = "park" }}
then     = {{ queue = "park", class = "unqualified" }}

[[route]]
name     = "default"
priority = 0
then     = {{ queue = "front", class = "unqualified" }}

[[example]]
given  = {{ called = "2{NNN}" }}
expect = {{ queue = "front", class = "vital" }}
"""

CONFIG = """# Written by tests/harness/configure.py.
[node]
state_dir = "bandeau-state"
drain     = "1s"

[sip]
listen = ["udp:127.0.0.1:5060"]

[media]
bind  = "127.0.0.1"
ports = "10000-29999"

[http]
listen = "127.0.0.1:8080"

[log]
level = "warn"

[[trunk]]
name  = "load-machine"
peers = ["127.0.0.1:6000"]

[[centre]]
name    = "harness"
plan    = "harness.toml"
wrap_up = "0s"
"""

AGENT = """
[[centre.agent]]
name         = "a{i:03d}"
role         = "agent"
skills       = ["arm"]
position     = "desk {i}"
always_ready = true
phone        = {{ uri = "sip:a{i:03d}@127.0.0.1:{port}", address = "127.0.0.1:{port}" }}
"""

FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "harness.toml").write_text(PLAN)
(FOLDER / "bandeau.toml").write_text(CONFIG + "".join(AGENT.format(i=i, port=7000 + i) for i in range(AGENTS)))
