PYTHON ?= python3
BIN := .venv/bin
PARALLEL := --numprocesses auto --dist loadfile
export OMP_NUM_THREADS ?= 2

.PHONY: help venv demo test check bench bench-check clean

help:  ## What there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /	/' | expand -t 14

venv: .venv/.complete  ## The environment alone, in .venv

.venv/.complete: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: venv  ## Design a search engine: YAML to report in about a minute
	$(BIN)/mlsd run problem=search

test: venv  ## All tests
	$(BIN)/pytest --quiet $(PARALLEL)

check: venv  ## Format, lint, types and all tests; a skipped test fails
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest --quiet $(PARALLEL) --forbid-skips

bench: venv  ## Ratios to reference implementations, each measured within one run
	@for benchmark in benchmarks/bench_*.py; do echo "== $$benchmark"; $(BIN)/python $$benchmark || exit 1; done

bench-check: venv  ## The quick experiments again: exit 1 if a figure left its tolerance
	$(BIN)/mlsd bench --quick --check experiments/*.yaml

clean:  ## Remove the environment and what runs left behind
	rm -rf .venv outputs/*
