# Everything a person types. `make` alone lists it; every command works on a fresh clone with Python 3.11 or newer.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
SOURCES := .
PURE := tests/kernel tests/formulas tests/architecture/test_words.py tests/architecture/test_sql_owners.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check format-check lint types rooms unit bench crash load drill-restore drill-migration package format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) ## the whole product on this machine, with demo data; PORT, WAGEBOOK_HOME, DATABASE_URL
	@$(BIN)/python -m infra.local run

test: format-check lint types rooms unit ## all checks below and all tests

check: format-check lint types rooms ## what needs no database, in under a minute: format, lint, types, architecture, pure tests
	$(BIN)/pytest -q -n auto --maxprocesses 4 --dist loadfile $(PURE)

format-check: $(READY) ## is everything formatted?
	$(BIN)/ruff format --check $(SOURCES)

lint: $(READY) ## mistakes and habits that ruff knows
	$(BIN)/ruff check $(SOURCES)

types: $(READY) ## types, by mypy
	$(BIN)/mypy

rooms: $(READY) ## do imports only point down?
	$(BIN)/lint-imports

unit: $(READY) ## all tests; one: .venv/bin/pytest tests/... -k words
	$(BIN)/pytest -q -n auto --maxprocesses 4 --dist loadfile

bench: $(READY) ## the main jobs beside yardsticks; SIZE=small takes two
	@$(BIN)/python -m infra.labs.bench

crash: $(READY) ## payouts under kills, lies and doubles; RUNS=10000 SEED=1 WORKERS=2
	@$(BIN)/python -m infra.labs.crash

load: $(READY) ## five times too much, and one tenant with twenty times its share; SIZE=small takes two
	@$(BIN)/python -m infra.labs.load

drill-restore: $(READY) ## lose the database, restore it to a moment, pay nobody twice
	@$(BIN)/python -m infra.labs.drills.restore

drill-migration: $(READY) ## change the schema under load, with no failed request
	@$(BIN)/python -m infra.labs.drills.migration

package: $(READY) ## the zip and the template for AWS; STAGE=dev or prod
	@$(BIN)/python -m infra.deploy.package

format: $(READY) ## format, and mend what can be mended
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

clean: ## remove the environment and what was built; data in WAGEBOOK_HOME stays
	rm -rf .venv build .chalice/deployments .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew only when the lists of requirements change. The stamp is written last, so a broken install is repeated.
$(READY): requirements.txt infra/requirements-dev.txt infra/constraints.txt infra/deploy/layers/payslips/requirements.txt infra/deploy/operations-requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found; name a Python with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1); name another with PYTHON=..."; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { echo "The venv module is needed (Debian: python3-venv)."; exit 1; }
	@echo "installing into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-input -r infra/requirements-dev.txt
	@touch $@
