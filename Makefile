# What one does with this repository. `make help` lists it.
# Needs make and a Python from 3.11 on with venv; everything else is installed into .venv.

VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(sort $(wildcard plugins/*/pyproject.toml))
INSTALLED := $(VENV)/.installed
BACKENDS := $(sort $(wildcard collector-config/backends/build-* collector-config/backends/install-*))
BENCHMARKS := $(sort $(wildcard benchmarks/[a-z]*.py))

PIPELINE := examples/asset_pipeline
DEMO := .cache/demo

export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# uv does what pip may take half an hour for: OpenTelemetry's packages pin each other to the same release.
# It does not read pip's settings; the one that matters most is handed on.
ifneq ($(PIP_INDEX_URL),)
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

.PHONY: help setup demo test test-backends collector jaeger prometheus backends-up backends-down dashboards lint types docs bench check clean distclean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## List these targets
	@echo "Usage: make TARGET [PYTHON=/path/to/python, used when .venv is made] [ARGS='for pytest']"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv with dam-obs, the plugins and the tools; does nothing if nothing has changed

$(INSTALLED): pyproject.toml $(PLUGINS)
	@test -x $(BIN)/python || { python="$$(.ci/find-python)" && echo "Making $(VENV) with $$python" && "$$python" -m venv $(VENV); }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(VENV) is not a Python from 3.11 on: run 'make distclean', then this again" >&2; exit 1; }
	@echo "Installing dam-obs, its plugins and tools into $(VENV)"
	@$(BIN)/python -m pip install --quiet 'uv>=0.5'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[cli]' \
	  $(PLUGINS:%/pyproject.toml=--editable %) --group dev --group docs
	@touch $@

# The program works below .cache, on the disk that this folder is on: /tmp may be in memory.
demo: setup ## Run the example pipeline under dam-obs diagnose, and show what was seen
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	@trap 'rm -rf $(DEMO)' EXIT; \
	$(BIN)/dam-obs diagnose -- $(BIN)/python $(PIPELINE) --workdir $(DEMO)

test: setup ## Run the tests, but for the slow ones and those of real backends
	@$(BIN)/pytest -m "not slow and not backends" --numprocesses auto --dist loadfile $(ARGS)

# What this machine cannot build says so, and its tests are skipped with that line.
test-backends: setup ## Run the tests against the real collector, Jaeger and Prometheus
	@for each in $(BACKENDS); do $$each || [ $$? -eq 3 ] || exit 1; done
	@$(BIN)/pytest -m backends tests/backends --timeout=300 $(ARGS)

collector: ## Build the collector that collector-config/ describes, and print where it is
	@collector-config/backends/build-collector

jaeger: ## Build Jaeger, and print where it is
	@collector-config/backends/build-jaeger

prometheus: ## Get Prometheus out of Debian's package, and print where it is
	@collector-config/backends/install-prometheus

backends-up: ## Start Jaeger, gateway, agent, Prometheus and a server of reports on loopback; ARGS names some of them
	@collector-config/backends/up $(ARGS)

backends-down: ## Stop what backends-up has started
	@collector-config/backends/down $(ARGS)

lint: setup ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup ## Check types
	@$(BIN)/mypy
	@$(BIN)/mypy $(PIPELINE)
	@$(BIN)/mypy examples/asset_traits
	@$(BIN)/mypy examples/composed_traits
	@$(BIN)/mypy examples/hrm_session
	@cd examples/closing_the_loop && ../../$(BIN)/mypy --config-file ../../pyproject.toml .

docs: setup ## Build the documentation into docs/_build/html
	@$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "Wrote docs/_build/html/index.html"

dashboards: setup ## Make the Grafana dashboards anew from the trace-point files
	@$(BIN)/python -m dashboards.build

bench: setup ## Run the benchmarks, one after the other
	@for each in $(BENCHMARKS); do echo "== $$each"; $(BIN)/python $$each || exit 1; done

check: ## Run all that CI runs
	@.ci/run

clean: ## Remove what was made here, but for .venv and the runs in .dam-obs
	@rm -rf .cache .nox .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist docs/_build docs/generated
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## Remove .venv too
	@rm -rf $(VENV)
