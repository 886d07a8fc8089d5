# What a newcomer, a developer and the CI do, by name; `make` alone lists it.

SHELL := /bin/sh
PREFIX ?= /usr/local
CARGO_TARGET_DIR ?= target
KVMTEST := $(CARGO_TARGET_DIR)/release/kvmtest
SHARE := $(CARGO_TARGET_DIR)/share
PLACE := $(DESTDIR)$(PREFIX)

# A toolchain that was installed a minute ago is not on the path of this terminal yet.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# There if the tests in Python failed: those in Rust are run all the same.
PYTHON_FAILED := $(CARGO_TARGET_DIR)/python-failed

# How long `make fuzz` looks.
SECONDS ?= 60
# Builds the packages of the workspace such that they count which of their branches run.
COUNTED := RUSTC_WORKSPACE_WRAPPER='$(abspath scripts/instrument)'

.PHONY: help run test lint fuzz bench docs install python wheel clean prepare build guest

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

run: guest ## prepare this machine, build everything, run the quick set
	@echo '==> running the quick set ($(KVMTEST) run)'
	@$(KVMTEST) run

# The programs that are tested are the ones that users get (release); the tests themselves are
# built with overflow checks and debug assertions.
test: guest ## prepare likewise, then run every test of the project
	@echo '==> looking for texts that break the configuration language (5 seconds of `make fuzz`)'
	@$(COUNTED) KVMTEST_FUZZ_SECONDS=5 \
	    cargo test --package kvmtest-cartesian --test fuzz --locked --quiet -- --nocapture
	@scripts/prepare tests
	@rm -f '$(PYTHON_FAILED)'
	@echo '==> running the tests in Python (scripts/python-tests), and meanwhile building those in'
	@echo '    Rust (cargo test --workspace --locked --no-run)'
	@cargo test --workspace --locked --no-run --quiet & building=$$!; \
	    scripts/python-tests || touch '$(PYTHON_FAILED)'; \
	    wait $$building
	@echo '==> running every test, two programs of tests at once (cargo xtask test)'
	@KVMTEST_PROGRAM='$(abspath $(KVMTEST))' '$(CARGO_TARGET_DIR)/debug/xtask' test
	@test ! -e '$(PYTHON_FAILED)' || { echo 'error: tests in Python failed, see above' >&2; exit 1; }

lint: ## check the format, the lints and the house rules
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo xtask tidy

fuzz: ## look for texts that break the configuration language, for SECONDS=60
	@echo '==> trying random texts (cargo test --package kvmtest-cartesian --test fuzz)'
	@$(COUNTED) KVMTEST_FUZZ_SECONDS='$(SECONDS)' KVMTEST_FUZZ_SEED="$$(date +%s)" \
	    CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/fuzz' \
	    cargo test --package kvmtest-cartesian --test fuzz --locked -- --nocapture

bench: guest python ## measure what the performance page of the book shows
	@echo '==> measuring (cargo bench --package kvmtest-benches --locked)'
	@KVMTEST_PROGRAM='$(abspath $(KVMTEST))' cargo bench --package kvmtest-benches --locked

docs: ## build the book and the library's reference
	cargo doc --workspace --no-deps --locked
	@if command -v mdbook >/dev/null; then \
	    echo '==> mdbook build docs'; mdbook build docs; \
	else \
	    echo 'the book is not built, for want of mdbook; try: cargo install mdbook --locked'; \
	    echo 'its pages can be read as they are: docs/src/SUMMARY.md'; \
	fi

install: build ## install the program, its pages and completions below PREFIX (/usr/local)
	@echo '==> making manual pages and completions ($(SHARE))'
	@rm -rf $(SHARE)
	@mkdir -p $(SHARE)/man/man1 $(SHARE)/bash-completion/completions \
	    $(SHARE)/fish/vendor_completions.d $(SHARE)/zsh/site-functions
	@$(KVMTEST) man $(SHARE)/man/man1 >/dev/null
	@$(KVMTEST) completions bash >$(SHARE)/bash-completion/completions/kvmtest
	@$(KVMTEST) completions fish >$(SHARE)/fish/vendor_completions.d/kvmtest.fish
	@$(KVMTEST) completions zsh >$(SHARE)/zsh/site-functions/_kvmtest
	@as_root=; mkdir -p '$(PLACE)' 2>/dev/null && test -w '$(PLACE)' || as_root='sudo '; \
	echo "==> $${as_root}installing below $(PLACE)"; \
	$${as_root}install -D -m 755 $(KVMTEST) '$(PLACE)/bin/kvmtest' && \
	$${as_root}cp -R $(SHARE) '$(PLACE)/' && \
	$${as_root}mkdir -p '$(PLACE)/lib/kvmtest' && \
	$${as_root}rm -rf '$(PLACE)/lib/kvmtest/python' && \
	$${as_root}cp -R '$(CARGO_TARGET_DIR)/release/python' '$(PLACE)/lib/kvmtest/python'

python: build ## build the program, and beside it the package that subtests in Python need

wheel: build ## build a wheel that holds the library for Python and the program
	@scripts/python-wheel

clean: ## remove what was built here; guests stay (`kvmtest guest rm`)
	cargo clean

# The steps that the targets above share.

prepare:
	@scripts/prepare

build: prepare
	@echo '==> building the program (cargo build --release --locked)'
	@scripts/python-package release

guest: build
	@echo '==> building the guest, unless it is there ($(KVMTEST) guest build small)'
	@$(KVMTEST) guest build small
