# Every target sets up what it needs first; `make run` and `make test` are all a newcomer types.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATIC := src/alicia/collector/static
SETUP := $(VENV)/.installed
BUNDLE := $(VENV)/.bundled
WARM := $(VENV)/.compiled
DASHBOARD_SOURCES := $(shell find dashboard -path dashboard/node_modules -prune -o -type f -print 2>/dev/null)
DASHBOARD_READY := [ -d dashboard/node_modules ] && command -v npm >/dev/null 2>&1
PYTEST := $(BIN)/python -m pytest

.PHONY: setup run test check bench docs soak programs clean

setup: $(SETUP) $(WARM) $(BUNDLE)

$(SETUP): pyproject.toml constraints.txt
	@echo 'setting up $(VENV)'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Kernels are compiled once, so that neither a first start nor the tests wait for them.
$(WARM): $(wildcard src/alicia/tsdb/kernels/*.py) $(SETUP)
	@echo 'compiling the kernels'
	@$(BIN)/python tools/compile_kernels.py && touch $@

# Without Node the collector still serves everything but the page, and says how to build it.
$(BUNDLE): $(DASHBOARD_SOURCES) | $(SETUP)
	@if command -v npm >/dev/null 2>&1; then \
	  echo 'building the dashboard'; \
	  (cd dashboard && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error \
	    && npm run --silent build) && touch $@; \
	else \
	  echo 'npm not found: the dashboard is not built (install Node 20, then make setup)'; \
	fi

run: setup
	$(BIN)/alicia up

check: setup
	$(BIN)/ruff format --check src tests bench tools
	$(BIN)/ruff check src tests bench tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if $(DASHBOARD_READY); then cd dashboard && npm run --silent check; fi

# Timing tests run with nothing beside them; all others share the cores.
test: check programs
	@if $(DASHBOARD_READY); then cd dashboard && npm test --silent; fi
	$(PYTEST) -q -n 2 --dist loadgroup -m 'not alone and not slow and not bench'
	$(PYTEST) -q -m 'alone and not slow'

programs:
	sh tools/test_programs.sh

bench: setup
	$(BIN)/python -m bench

docs: setup
	$(BIN)/python tools/reference.py

soak: setup programs
	$(PYTEST) -q -m slow

clean:
	rm -rf $(VENV) $(STATIC) dashboard/node_modules test-artefacts .pytest_cache .mypy_cache .ruff_cache
