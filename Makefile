# make table2   set everything up and produce Table 2 of the embedded default
# make all      the same and every table, figure and verdict that the default can make
# make report   the same as one page, results/report.html: sortable tables, figures, captions, provenance, run times
# make test     set everything up and prove it: lint, boundaries, unit tests, the smoke workflow
# make test-fast   the unit tests alone, without a run of the workflow
# make test-report   the report of the smoke preset in headless Chromium, with a screenshot (Debian's package chromium)
# make test-slurm   the smoke workflow through a real one-node SLURM (root, Debian), with everything that goes wrong
# make setup    only the virtual environment: then `. .venv/bin/activate` and snakemake as you like
.PHONY: setup table2 all report test test-fast test-report test-slurm lint clean
.DELETE_ON_ERROR:

PYTHON ?= python3.11
CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
BIN := .venv/bin
SHELL := bash
.SHELLFLAGS := -o pipefail -ec
DOWNLOADS := awk '/Downloading|Using cached/ { print; fflush() }'
export PATH := $(CURDIR)/$(BIN):$(PATH)

setup: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 11), "Python 3.11 is needed: make PYTHON=/path/to/python3.11"'
	$(PYTHON) -m venv .venv
	@echo "Installing the packages of requirements.lock into .venv: minutes, most of them for PyTorch"
	@$(BIN)/python -m pip install --disable-pip-version-check -r requirements.lock | $(DOWNLOADS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

table2: setup
	snakemake --cores $(CORES) results/table2.csv

all: setup
	snakemake --cores $(CORES) all

report: all
	snakemake --report results/report.html
	@echo "Open results/report.html"

lint: setup
	ruff check .
	ruff format --check .
	snakefmt --check --diff Snakefile rules
	codespell
	check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	mypy
	cd workflow/scripts && PYTHONPATH=. lint-imports ../../pyproject.toml
	snakemake --lint
	snakemake --lint --configfile config/smoke.yaml

test: lint
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

test-fast: setup
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile -m "not workflow"

test-report: setup
	snakemake --cores $(CORES) all --configfile config/smoke.yaml
	snakemake --report results/smoke/report.html --configfile config/smoke.yaml
	$(BIN)/python -m pytest tests/browser

test-slurm: setup
	tests/slurm/with_slurm.sh $(BIN)/python -m pytest tests/slurm --capture=no

clean:
	rm -rf results .snakemake
