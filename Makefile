# `make test` sets a fresh Debian 12 machine up and proves every promise; `make demo` shows the thing.
.PHONY: test test-all demo soak bench sim sim-theory sim-million mutants setup check fmt fmt-check lint deny unit web web-test web-e2e screenshots
# Two jobs at least as many as cores would thrash the linker on small machines.
CARGO ?= cargo
TEST_ARGS ?= --quiet

test: setup fmt-check lint deny web-test unit web-e2e
	@echo "make test: all green"

# Everything `test` has, every interleaving of the larger scenes, a minute of fuzzing, other makers' SIP in full,
# trunk calls under a flood, then the figures of another
# maker's load machine (about 20 minutes).
test-all: test
	EXPLORE=all $(CARGO) test $(TEST_ARGS) -p sip --test explorer -- --nocapture
	scripts/fuzz.sh
	BANDEAU_WRITE=1 $(CARGO) test $(TEST_ARGS) --test interop -- --include-ignored --test-threads=2
	$(CARGO) test $(TEST_ARGS) --release --test flood -- --ignored --nocapture
	scripts/harness.sh

# 200 000 calls in a row, memory before and after (about 25 minutes): `make soak COUNT=2000` for a short one.
soak:
	scripts/soak.sh $(COUNT)

demo:
	scripts/demo.sh

bench:
	$(CARGO) bench --workspace

# Evenings of the simulated room: `make sim SEEDS=10000`, or one of them told line by line: `make sim SEED=7`.
SEEDS ?= 1000
sim:
	SEED=$(SEED) SEEDS=$(SEEDS) FROM=$(FROM) $(CARGO) test --release --quiet --package engine --test sim -- --nocapture

# Waits against Erlang C and Cobham in runs eight times as long as those of `make test` (2 minutes).
sim-theory:
	SIM_THEORY_CALLS=2000000 $(CARGO) test --release --quiet --package engine --test queueing_theory -- --nocapture

# A million calls through one room: the most bytes it held, and nothing left at the end (1 minute).
sim-million:
	SIM_CALLS=1000000 $(CARGO) test --release --quiet --package engine --test million_calls -- --nocapture

# What of the distribution no test holds: about 1 070 mutants, each built and looked at by the quick units
# and, when those miss it, by whole calls (two to three hours; a part with `make mutants SHARD=0/10`).
SHARD ?= 0/1
mutants:
	scripts/mutants.sh $(SHARD)

setup:
	scripts/setup.sh

# For the editor's inner loop: does it compile, everywhere?
check:
	$(CARGO) check --workspace --all-targets

fmt:
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --quiet --workspace --all-targets -- -D warnings

deny:
	scripts/tools.sh
	.tools/bin/cargo-deny check bans licenses sources

# Units, tables, tidy, privacy and the whole calls of tests/, with each runner's closing line.
unit:
	$(CARGO) test $(TEST_ARGS) --workspace

# The pages, built into web/dist and from there into the binary: before cargo, so that it carries them.
web: web/node_modules/.package-lock.json
	npm --prefix web run build

# Their types, lint, units, build and budget.
web-test: web/node_modules/.package-lock.json
	npm --prefix web run test

# Whole calls through a real browser: the binary with its pages, callers, tones at both ends (3 minutes).
web-e2e: web web/e2e/node_modules/.package-lock.json
	$(CARGO) build --quiet --bin bandeau
	npm --prefix web/e2e test

# Pictures of the pages, taken of the real thing (1 minute): into docs/img.
screenshots: web web/e2e/node_modules/.package-lock.json
	$(CARGO) build --quiet --bin bandeau
	npm --prefix web/e2e run screenshots

web/e2e/node_modules/.package-lock.json: web/e2e/package-lock.json
	npm --prefix web/e2e ci --no-audit --no-fund

web/node_modules/.package-lock.json: web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
