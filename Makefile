# Headwater. Two commands matter: `make demo` and `make test`. Needs Python 3.11 or later and make.
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8000
BIN    := $(VENV)/bin
# A company's own certificate authority is in the system's store, not in the installer's.
export UV_SYSTEM_CERTS = 1
# Where bytecode is not kept, each of the many processes that tests start compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

DEMO_ENV = HEADWATER_DATA_DIR=demo-data/headwater \
	HEADWATER_BASE_URL=http://127.0.0.1:$(PORT) \
	HEADWATER_SALESFORCE_LOGIN_URL=http://127.0.0.1:8710 \
	HEADWATER_SALESFORCE_SANDBOX_LOGIN_URL=http://127.0.0.1:8711 \
	HEADWATER_SALESFORCE_CLIENT_ID=demo-consumer-key \
	HEADWATER_SALESFORCE_CLIENT_SECRET=demo-consumer-secret

# Foreign programmes that speak to orgsim, unmodified, in its tests: each in an environment of its own.
CLIENTS      := $(patsubst tests/clients/%/requirements.txt,%,$(wildcard tests/clients/*/requirements.txt))
CLIENT_MARKS := $(CLIENTS:%=.venv-clients/%/.done) tests/clients/jsforce/node_modules/.done

.PHONY: demo install test check bench torture torture-sync plan-law sync-law conformance setup format lock clean

demo: $(VENV)/.run      ## the main job on a simulated org (ONCE=1 ends after printing, PORT=n for the web app)
	$(DEMO_ENV) $(BIN)/headwater demo --port $(PORT) $(if $(ONCE),--once)

install: $(VENV)/.run   ## the commands headwater and orgsim, in .venv/bin

test: $(VENV)/.dev      ## install what tests need, check the house, run every test
	$(MAKE) --no-print-directory -j 3 setup check
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev     ## format, lint, types, arrows
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	HEADWATER_DATA_DIR=.mypy_cache/headwater $(BIN)/mypy
	$(BIN)/lint-imports

setup: $(VENV)/.dev     ## Chromium, PostgreSQL and Node.js where the machine has none; the clients orgsim is tested with
	scripts/install-test-programmes
	$(MAKE) --no-print-directory $(CLIENT_MARKS)

# What `make bench NAME=credits` compares with.
PEERS := $(patsubst benches/clients/%/requirements.txt,%,$(wildcard benches/clients/*/requirements.txt))
BENCH_NEEDS_credits = $(PEERS:%=.venv-clients/%/.done) .venv-clients/tap-salesforce/.done
BENCH_NEEDS_sync = $(BENCH_NEEDS_credits) tests/clients/jsforce/node_modules/.done

.SECONDEXPANSION:
bench: $(VENV)/.dev $$(BENCH_NEEDS_$$(NAME))     ## measure: NAME=orgsim, credits, ledger or sync (JSON=1 prints one JSON object and nothing else, RECORDS=n for a smaller run)
	PYTHONPATH=tests $(BIN)/python -m benches.$(NAME) $(if $(JSON),--json) $(if $(RECORDS),--records $(RECORDS)) $(if $(FOLDER),--folder $(FOLDER))
ifdef JSON
.SILENT:
endif

torture: $(VENV)/.dev   ## the ledger of credits for long, on both databases: over a thousand windows (TIMES=5), workers killed at random
	HEADWATER_TORTURE_TIMES=$(or $(TIMES),5) $(BIN)/pytest tests/torture/test_ledger_torture.py

torture-sync: $(VENV)/.dev   ## the sync under constant edits, faults and kills: MINUTES=30; then row by row against the org
	HEADWATER_TORTURE_SYNC_MINUTES=$(or $(MINUTES),30) $(BIN)/pytest -s tests/torture/test_sync_torture.py

plan-law: $(VENV)/.dev     ## plan and actual over 200 random orgs and change sets
	HEADWATER_PLAN_LAW_CASES=200 $(BIN)/pytest tests/integration/test_plan_law.py

sync-law: $(VENV)/.dev     ## the replica equals the org after any deeds, days and deaths: TIMES=2000 random runs
	HEADWATER_SYNC_LAW_TIMES=$(or $(TIMES),2000) $(BIN)/pytest tests/integration/test_sync_machine.py

conformance: $(VENV)/.dev   ## write docs/orgsim/conformance.md from the marks on the tests
	$(BIN)/python tests/conformance.py

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: $(VENV)/bin/uv    ## pin every dependency with its hashes
	$(BIN)/uv pip compile pyproject.toml --extra postgres --extra saml --universal --python-version 3.11 --generate-hashes -q -o requirements/run.txt
	$(BIN)/uv pip compile pyproject.toml --extra postgres --extra saml --group dev --universal --python-version 3.11 --generate-hashes -q -o requirements/dev.txt
	for name in $(CLIENTS:%=tests/clients/%) $(PEERS:%=benches/clients/%); do $(BIN)/uv pip compile $$name/requirements.in \
		--universal --python-version 3.11 --generate-hashes -q -o $$name/requirements.txt || exit 1; done
	npm install --package-lock-only --prefix tests/clients/jsforce

clean:
	rm -rf demo-data test-results

$(VENV)/bin/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/run.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements/dev.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@ $(VENV)/.run

define OWN_ENVIRONMENT
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-clients/$*
	VIRTUAL_ENV=.venv-clients/$* $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes $<
	touch $@
endef

.venv-clients/%/.done: tests/clients/%/requirements.txt | $(VENV)/bin/uv
	$(OWN_ENVIRONMENT)

.venv-clients/%/.done: benches/clients/%/requirements.txt | $(VENV)/bin/uv
	$(OWN_ENVIRONMENT)

tests/clients/jsforce/node_modules/.done: tests/clients/jsforce/package-lock.json
	npm ci --silent --prefix tests/clients/jsforce
	touch $@
