# `make` lists what there is. Nothing here needs root, Docker, an account, or uv: where uv is not on
# the PATH, a private one is put into .bootstrap. Everything made lies in this folder.

PYTHON ?= python3
BIN = .venv/bin
UV := $(shell command -v uv || echo .bootstrap/bin/uv)

# Compiled files are kept, whatever the environment says: without them each start of a process that
# imports Prefect compiles it anew, which takes 10 s instead of 2.
unexport PYTHONDONTWRITEBYTECODE

# Sets $python to the first Python of a version that pyproject.toml accepts.
FIND_PYTHON = python=; \
	for name in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11; do \
		if "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; \
		then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 to 3.14 is needed: install one, or say 'make PYTHON=/path/to/python3'." >&2; \
		exit 1; \
	fi

FAST = tests/domain tests/adapters tests/workspace tests/blocks tests/demo tests/test_layout.py tests/test_imports.py tests/test_vocabulary.py tests/test_docs.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo check fast test proof explore lint types lock clean

help: ## List the targets
	@echo "TimeRex bookings and GoHighLevel contacts kept in step, as Prefect flows."
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "New here? 'make demo' shows the main job, 'make test' checks it; both set up what they need."

setup: .venv/.ready ## Make .venv from requirements.lock; does nothing when it is up to date

demo: setup ## Run the main job against the built-in sandbox, no account needed (KEEP=1 leaves it running)
	@$(BIN)/timerex-ghl demo $(if $(filter-out 0,$(KEEP)),--keep)

check: setup ## Check style, types, rules and adapters in two minutes: before each commit
	@$(MAKE) --no-print-directory -j2 lint types fast

fast: setup ## Run the tests of the pure rules, and others that take little time
	@$(BIN)/pytest -q -m "not slow" -k "not postgresql" $(FAST)

test: setup ## Run the tests (COVERAGE=1 checks that they cover the code, WORKERS=n sets processes)
	@$(BIN)/python -m tests.suites test $(if $(filter-out 0,$(COVERAGE)),--coverage)

lint: setup ## Check style and format ('.venv/bin/ruff format' formats)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: setup ## Check the types
	@$(BIN)/pyright

proof: setup ## Run the tests that take long: crashes, load, the built wheel, PostgreSQL in full
	@$(BIN)/python -m tests.suites proof

explore: setup ## Try new random examples for MINUTES (10); a failing one is printed as a test
	@$(BIN)/python -m tests.suites explore --minutes $(or $(MINUTES),10)

lock: | $(UV) ## Write requirements.lock after a change of pyproject.toml (UPGRADE=1 takes the newest)
	@$(UV) pip compile --quiet --universal --generate-hashes --no-annotate --no-header \
		--group dev --extra postgresql pyproject.toml -o requirements.lock --python-version 3.11 \
		$(if $(filter-out 0,$(UPGRADE)),--upgrade)

clean: ## Remove everything made here, .venv included
	@rm -rf .venv .bootstrap .demo .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: requirements.lock pyproject.toml | $(UV)
	@if ! $(BIN)/python -c '' 2>/dev/null; then \
		$(FIND_PYTHON); \
		echo "Making .venv with $$("$$python" --version)"; \
		rm -rf .venv && $(UV) venv --quiet --python "$$python" .venv; \
	fi
	@echo "Installing what requirements.lock names"
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

.bootstrap/bin/uv:
	@$(FIND_PYTHON); \
	echo "Putting uv into .bootstrap"; \
	"$$python" -m venv .bootstrap || { \
		echo "'$$python -m venv' does not work: install python3-venv, or uv." >&2; exit 1; }
	@.bootstrap/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9'
