# Everything sets itself up: `make demo` and `make test` need nothing but Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# Hundreds of processes of the tests import the same modules: they are compiled once, whatever the surroundings say.
unexport PYTHONDONTWRITEBYTECODE

READY := $(VENV)/.ready

.PHONY: demo check test setup lint types contracts fast tests slow bench bench-details clean

# torch comes first and by its exact version, so that the set-up never replaces the build that a machine has chosen.
# pip would compile 20,000 files on one core: here all cores do, and tests of other packages are left.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "xlbias needs Python 3.11 or newer; this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check "$$(grep -E '^torch==' constraints.txt)"
	@$(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests/' $(VENV)/lib || true
	@touch $@

setup: $(READY)

demo: $(READY)
	@$(BIN)/xlbias demo

# Under a minute on two cores, for every change: lint, types, contracts, and the tests that start no process, load no
# encoder and drive no screen.
check: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint types contracts fast

# Types and contracts are looked at while the tests are collected; what fails in either fails the whole.
test: lint
	@$(MAKE) --no-print-directory --jobs 3 types contracts tests

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

fast: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow and not e2e and not integration'

tests: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not slow'

# What is too long for every change: thousands of mutated inputs and the like, before a release.
slow: $(READY)
	$(BIN)/python -m pytest -m slow --timeout 3600

# One table: goal, figure, load of the machine. mteb's row wants `pip install 'xlbias[mteb]'`.
bench: $(READY)
	$(BIN)/python benchmarks/table.py

# What each figure is made of, script by script.
bench-details: $(READY)
	$(BIN)/python benchmarks/ranks.py
	$(BIN)/python benchmarks/samplers.py
	$(BIN)/python benchmarks/significance.py
	$(BIN)/python benchmarks/audit.py
	$(BIN)/python benchmarks/audit_scale.py
	$(BIN)/python benchmarks/encoding.py
	$(BIN)/python benchmarks/dashboard.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
