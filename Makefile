# Two commands for a stranger: `make demo` and `make test`. Each sets up all it needs; only Python 3.11+ and make are assumed.
PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp-installed

.PHONY: demo test test-all bench-check lint format setup clean

demo: $(STAMP)
	$(BIN)/farlands demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -q

test-all: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -q --slow

bench-check: $(STAMP)
	$(BIN)/python benchmarks/check.py

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "farlands needs Python 3.11 or newer; none found on PATH" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache
