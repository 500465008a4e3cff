# `make` lists what there is. `make run` and `make test` set up all they need first.
PY ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
V := .venv
BIN := $(V)/bin
READY := $(V)/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := list
.PHONY: list run test dev lint fmt typecheck bench e2e soak docs lock wheel clean

list:            ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1	/p' Makefile | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(READY)        ## set up, record real commands, show their timelines, serve them
	@$(BIN)/runline demo --serve

test: lint typecheck ## everything a change must pass
	@$(PYTEST) -n 2 --cov --cov-fail-under=100

dev: $(READY)        ## set up, and check every commit
	@$(BIN)/pre-commit install

lint: $(READY)       ## style and formatting
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

fmt: $(READY)        ## format, and repair what can be repaired
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

typecheck: $(READY)  ## strict types, tests included
	@$(BIN)/mypy

bench: $(READY)      ## the figures of docs/performance.md
	@$(BIN)/python -m benchmarks

e2e: $(READY)        ## the long crash, fault and load tests
	@$(PYTEST) -m e2e

soak: $(READY)       ## an hour under load
	@$(PYTEST) -m soak

docs: $(READY)       ## write the generated pages anew
	@for script in scripts/generate_*.py; do $(BIN)/python $$script; done

lock: $(READY)       ## pin every dependency with its hashes
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --group dev pyproject.toml -o requirements.lock

wheel: $(READY)      ## build the wheel into dist/
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

clean:           ## remove what was built or installed
	@rm -rf $(V) dist build .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@test -n "$(PY)" || { echo "Runline needs Python 3.11 or newer; say where with make PY=/path/to/python." >&2; exit 1; }
	@echo "Setting up $(V) ..."
	@$(PY) -m venv $(V)
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
