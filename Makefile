# `make test` sets a fresh Debian 12 machine up and proves every promise; `make demo` shows the thing.
.PHONY: test test-all demo bench setup check fmt fmt-check lint deny unit
# Two jobs at least as many as cores would thrash the linker on small machines.
CARGO ?= cargo
TEST_ARGS ?= --quiet

test: setup fmt-check lint deny unit
	@echo "make test: all green"

# Everything `test` has, then the figures of another maker's load machine (about 15 minutes).
test-all: test
	scripts/harness.sh

demo:
	scripts/demo.sh

bench:
	$(CARGO) bench --workspace

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
