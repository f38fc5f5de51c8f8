# Two commands for newcomers. Both set everything up; neither touches the system's Python.
PYTHON ?= python3
VENV ?= .venv
LOWEST ?= .venv-lowest
BIN = $(VENV)/bin
# Without compiled files each process of the tests compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo docs test test-all test-llm slow newer lowest lint pictures schema truth

demo: $(VENV)/.demo  ## A month of request logs, and the gate on it
	@GATE=$(BIN)/gate PYTHON=$(BIN)/python bash docs/demo/demo.sh

ifdef ROOM
test: $(VENV)/.dev  ## The tests of one room, a folder of tests/: make test ROOM=policy
	$(BIN)/python -m pytest -m "not slow" tests/$(ROOM)
else
test: $(VENV)/.dev  ## What a change must pass; with root and apt also the real servers that it needs
	bash tests/install-servers.sh
	bash tests/run.sh $(BIN)/python quick
endif

test-all: $(VENV)/.dev  ## Every test there is; those of properties look for new examples
	bash tests/install-servers.sh
	bash tests/install-evaluations.sh $(PYTHON)
	bash tests/install-spark.sh $(PYTHON)
	bash tests/install-clickhouse.sh
	HYPOTHESIS_PROFILE=explore bash tests/run.sh $(BIN)/python quick slow newer

slow: $(VENV)/.dev  ## What only make test-all has, but for the newer servers
	bash tests/install-servers.sh
	bash tests/install-evaluations.sh $(PYTHON)
	bash tests/install-spark.sh $(PYTHON)
	bash tests/install-clickhouse.sh
	bash tests/run.sh $(BIN)/python slow

newer: $(VENV)/.dev  ## The presets against newer Prometheus servers, where Debian's other suites can be had
	bash tests/newer-servers.sh $(BIN)/python

truth: $(VENV)/.dev  ## Whether 1,000 services whose every event is known are judged by what happened
	bash tests/install-servers.sh
	$(BIN)/python -m benchmarks.truth.run --server prometheus
	$(BIN)/python -m benchmarks.truth.run --server victoria

test-llm: $(VENV)/.dev  ## The presets against a real LiteLLM and Envoy under load, which are installed in .servers (700 MB)
	bash tests/install-servers.sh
	sh tests/install-llm.sh $(PYTHON)
	GATE_REQUIRE_LLM=1 $(BIN)/python -m pytest tests/llm

lowest:  ## The tests without servers, with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -e '.[logs,dev]' uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --upgrade --resolution lowest-direct -e '.[logs]'
	GATE_LOWEST=1 $(LOWEST)/bin/python -m pytest -n auto --dist loadscope -m "not slow and not real"

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

$(VENV)/bin/python:
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# Each line of pip's is a dot, so that one sees that it goes on.
$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@printf 'Installing gate and what it needs into $(VENV), which takes a minute or so '
	@bash -o pipefail -c "$(BIN)/python -m pip install --disable-pip-version-check -e '.[logs]' | \
	  while read -r _; do printf .; done"
	@echo ' done'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -e '.[logs,dev]'
	touch $@ $(VENV)/.demo

pictures: $(VENV)/.dev  ## Make the pictures of the README anew, from what the command prints
	bash tests/install-servers.sh
	GATE=$(abspath $(BIN))/gate $(BIN)/python docs/pictures/make.py

schema: $(VENV)/.dev  ## Write the schemas of the files that people write in gate/schemas anew from gate/config
	$(BIN)/python -c "import json; from gate.cli.schema import policy_schema; \
	print(json.dumps(policy_schema(), indent=2))" > gate/schemas/policy.schema.json
	$(BIN)/python -c "import json; from gate.cli.schema import preset_schema; \
	print(json.dumps(preset_schema(), indent=2))" > gate/schemas/preset.schema.json
	$(BIN)/python -c "import json; from gate.cli.schema import incident_schema; \
	print(json.dumps(incident_schema(), indent=2))" > gate/schemas/incident.schema.json
	$(BIN)/python -c "import json; from gate.cli.schema import cases_schema; \
	print(json.dumps(cases_schema(), indent=2))" > gate/schemas/cases.schema.json

docs: $(VENV)/.dev  ## Write the generated pages of docs/ anew: the policy file, the commands, troubleshooting
	$(BIN)/python -m docs.reference
