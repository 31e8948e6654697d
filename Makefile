# make run    a virtual environment, the install, the main job on real data
# make test   the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CONFIG ?= breast_cancer
ARGS ?=

.PHONY: run test check lint types bench clean data docs help

run: $(VENV)/.core
	$(BIN)/mlops run config=$(CONFIG) $(ARGS)

run-%: $(VENV)/.core
	$(BIN)/mlops run config=$* $(ARGS)

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

check: lint types test

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python tests/benchmarks/bench.py $(ARGS)

data: $(VENV)/.core
	$(BIN)/python data/make.py

# The pages of docs/reference, from the code.
docs: $(VENV)/.core
	$(BIN)/python docs/make.py

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

help:
	@sed -n 's/^# make/make/p' Makefile; echo 'also: check lint types bench data docs clean, run-NAME'

# One stamp for each set of packages: what is there already is not installed again.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@ $(VENV)/.core

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/.core $(VENV)/.test
