# Two commands for newcomers. Both set everything up; neither touches the system's Python.
PYTHON ?= python3
VENV ?= .venv
LOWEST ?= .venv-lowest
BIN = $(VENV)/bin
# Tests of servers, runners and a browser. The others reach every branch without them, and to measure
# each process that these start would make those take half as long again.
REAL = tests/browser tests/demo tests/gitlab tests/live
# By module: what one starts is started once. (xdist 3.8's groups do nothing under pytest 9.2.)
PYTEST = $(BIN)/python -m pytest -n auto --dist loadscope

.PHONY: demo test newer lowest lint schema

demo: $(VENV)/.demo  ## A month of request logs, and the gate on it
	GATE=$(BIN)/gate PYTHON=$(BIN)/python bash docs/demo/demo.sh

test: $(VENV)/.dev  ## Every test; with root and apt also the real servers that they need
	bash tests/install-servers.sh
	$(PYTEST) --cov=gate --cov-report=term $(REAL:%=--ignore=%)
	$(PYTEST) $(REAL)

newer: $(VENV)/.dev  ## The presets against newer Prometheus servers, where Debian's other suites can be had
	bash tests/newer-servers.sh $(BIN)/python

lowest:  ## The tests without servers, with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -e '.[logs,dev]' uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --upgrade --resolution lowest-direct -e '.[logs]'
	GATE_LOWEST=1 $(LOWEST)/bin/python -m pytest -n auto --dist loadscope $(REAL:%=--ignore=%)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[logs]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -e '.[logs,dev]'
	touch $@ $(VENV)/.demo

schema: $(VENV)/.dev  ## Write gate/schemas/policy.schema.json anew from gate/config
	$(BIN)/python -c "import json; from gate.config.policy_schema import policy_schema; \
	print(json.dumps(policy_schema(), indent=2))" > gate/schemas/policy.schema.json
