# make table2   set everything up and produce Table 2 of the embedded default
# make all      the same and every table, figure and verdict that the default can make
# make test     set everything up and prove it: lint, boundaries, unit tests, the smoke workflow
# make test-fast   the unit tests alone, without a run of the workflow
# make test-slurm   the smoke workflow through a real one-node SLURM (root, Debian), with everything that goes wrong
# make setup    only the virtual environment: then `. .venv/bin/activate` and snakemake as you like
.PHONY: setup table2 all test test-fast test-slurm lint clean
.DELETE_ON_ERROR:

PYTHON ?= python3.11
CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

setup: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 11), "Python 3.11 is needed: make PYTHON=/path/to/python3.11"'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

table2: setup
	snakemake --cores $(CORES) results/table2.csv

all: setup
	snakemake --cores $(CORES) all

lint: setup
	ruff check .
	ruff format --check .
	snakefmt --check --diff Snakefile rules
	codespell
	mypy
	cd workflow/scripts && PYTHONPATH=. lint-imports ../../pyproject.toml
	snakemake --lint
	snakemake --lint --configfile config/smoke.yaml

test: lint
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

test-fast: setup
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile -m "not workflow"

test-slurm: setup
	tests/slurm/with_slurm.sh $(BIN)/python -m pytest tests/slurm --capture=no

clean:
	rm -rf results .snakemake
