# `make demo` and `make test` need nothing but Python 3.11 or 3.12 and a network; each sets .venv up if it is not there.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
DEMO_DIR ?= demo
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 600
FUZZ_SEED ?= 1
FUZZ_FINDINGS ?= fuzz_findings
SBOM ?= sbom.json
SITE ?= build/site
# Looks at $(VENV) from outside; its own packages are in a lock of their own and none of the product's.
TOOLS := .venv-supply-chain

.PHONY: setup hooks demo docs notebook test test-all test-312 fuzz coverage lint format types lock sbom licences vulnerabilities clean

setup: $(VENV)/.installed
	@$(if $(filter setup,$(MAKECMDGOALS)),echo "$(BIN) is ready. Next: make demo (source $(BIN)/activate for avinst itself)",:)

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || \
	  { echo "avinst needs Python 3.11 or 3.12, found $$($(PYTHON) --version 2>&1); set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setting up $(VENV) from requirements.lock: about 3 GB, 2 to 10 minutes, nothing more is printed until it is done"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/avinst demo --output_dir=$(DEMO_DIR)

# The pages of docs/ as a site; what Sphinx warns of (a link that leads nowhere, a missing picture) is an error.
docs: setup
	$(BIN)/sphinx-build -q -E -W --keep-going -b html -c docs . $(SITE)
	@echo "$(SITE)/index.html"

# docs/notebook.ipynb from docs/notebook.py: its cells are run, and what they show is kept; two to three minutes.
notebook: setup
	$(BIN)/python docs/notebook_page.py

test: setup
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-all: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Each of the three targets for FUZZ_SECONDS; inputs that did what none may are left in FUZZ_FINDINGS (docs/security.md).
fuzz: setup
	for target in media text examples; do PYTHONPATH=.:tests TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python tests/fuzz/fuzz_$$target.py \
	  --seconds=$(FUZZ_SECONDS) --seed=$(FUZZ_SEED) --findings=$(FUZZ_FINDINGS) || exit 1; done

# The other Python that avinst supports, in an environment of its own. A shim of pyenv is on the PATH without the Python
# behind it, so each candidate is tried.
PYTHON_312 ?= $(shell for python in python3.12 $(HOME)/.pyenv/versions/3.12*/bin/python3.12; do \
  "$$python" -c "" 2>/dev/null && echo "$$python" && break; done)
test-312:
	@test -n "$(PYTHON_312)" || { echo "no Python 3.12 found; set PYTHON_312=/path/to/python3.12" >&2; exit 1; }
	$(MAKE) test VENV=.venv-3.12 PYTHON="$(PYTHON_312)"

# Of all tests, the slow ones too, and of the processes that they start; what is left out of it: docs/coverage.md.
coverage: setup
	$(BIN)/coverage erase
	$(BIN)/python -m pytest --cov --cov-report= $(PYTEST_ARGS)
	$(BIN)/coverage report --skip-covered --sort=cover

hooks: setup
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type pre-push

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup
	$(BIN)/mypy

# Every version with hashes and without an index's address; one lock for Python 3.11 and 3.12. The image's locks are
# parts of it, without the tools of development.
COMPILE := $(VENV)/lock-tool/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links $(LOCK_ARGS)
lock: setup
	$(BIN)/pip install --quiet --disable-pip-version-check --target=$(VENV)/lock-tool uv
	$(COMPILE) --extra dev --extra dask --extra gcp pyproject.toml -o requirements.lock
	$(COMPILE) --constraint requirements.lock --extra gcp pyproject.toml -o cloud/cpu.lock
	$(COMPILE) --constraint requirements.lock --extra gcp --extra gpu pyproject.toml -o cloud/gpu.lock
	$(COMPILE) --group supply-chain -o supply-chain.lock

$(TOOLS)/.installed: supply-chain.lock
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r supply-chain.lock
	@touch $@

# CycloneDX, valid against its schema: what is installed in $(VENV), with versions and licences, and what the images get,
# with versions and hashes.
sbom: setup $(TOOLS)/.installed
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --validate \
	  -o $(SBOM) $(BIN)/python
	for variant in cpu gpu; do PYTHONWARNINGS=ignore $(TOOLS)/bin/cyclonedx-py requirements --pyproject pyproject.toml \
	  --output-reproducible --validate -o $(SBOM:.json=-$$variant.json) cloud/$$variant.lock || exit 1; done

licences: setup
	$(BIN)/avinst doctor --licences

vulnerabilities: $(TOOLS)/.installed
	$(TOOLS)/bin/python .ci/vulnerabilities.py --pip_audit=$(TOOLS)/bin/pip-audit requirements.lock cloud/gpu.lock supply-chain.lock

clean:
	rm -rf $(TOOLS) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
