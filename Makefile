# Every target sets itself up: a bare Python of 3.11 or newer is all it needs.
# `make PYTHON=/path/to/python3.12 test` picks another one.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := demo,models,mcp,langgraph,projections,stores,vectors,browser,saml,desktop,desktop-ui,speech-model,gcp,agentdojo,telemetry,errors,plots,dev
# More than the cores: process tests mostly wait for processes.
WORKERS ?= 3

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := test
.DELETE_ON_ERROR:
.PHONY: demo test lint bench schemas screenshots clean install

$(STAMP): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { echo "error: no $(PYTHON); install Python 3.11 or newer, or set PYTHON=" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11; set PYTHON= to a newer one" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' || { echo "error: $(PYTHON) has no venv; install it (on Debian: the package python3-venv)" >&2; exit 1; }
	@echo "setting up $(VENV)"
	@"$(PYTHON)" -m venv "$(VENV)"
	@"$(BIN)/python" -m pip install --quiet --editable '.[$(EXTRAS)]' --constraint constraints.txt
	@touch $@

install: $(STAMP)

demo: $(STAMP)
	$(BIN)/anyteam demo

test: lint
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m bench gate
	$(BIN)/python -m bench verify
	$(BIN)/python -m bench publish
	$(BIN)/python -m bench rebuild

schemas: $(STAMP)
	$(BIN)/python -m schemas

# Needs a chromium on the path (on Debian: the package chromium); writes docs/images.
screenshots: $(STAMP)
	$(BIN)/python -m tests.browser.screenshots
	$(BIN)/python -m tests.desktop.screenshots

# Leaves every data folder but the demo's alone: a ledger is not a by-product.
clean:
	rm -rf $(VENV) .anyteam/demo schemas/json build dist .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
