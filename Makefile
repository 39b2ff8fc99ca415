# Each target does all its own set-up and is safe to run twice. It needs git, make and a Python 3.13.
#
#   make demo        the whole flow on this machine: engine, stack, a demo mailbox, and its mail collected
#   make up / down   engine and stack without the demo mailbox / end them
#   make test        all tests that run without root
#   make test-real   also those with real servers, which are installed where that is allowed
#   make bench       popfetch beside other fetchers, its bill and its scale (PARTS="retrieval bill" runs only those)
#   make chaos       thousands of fetch cycles with faults at every turn, and what became of the mail (SEED=7 CYCLES=500)
#   make check       format, lint, types, layers, template, locks, secrets that were written down, known vulnerabilities
#   make audit       vulnerabilities that are known of what is used; fails where PyPI's and npm's own services are not reached
#   make format      put the format right
#   make console     build the web console anew, from its sources in infra/console
#   make openapi     write the API's description anew, from its routes
#   make dashboard   write the dashboard into the template anew, from infra/dashboard.py
#   make lock        compile the locks anew (UPGRADE=1 takes the newest versions)
#
# PYTEST_ARGS goes to pytest, after what is said here: PYTEST_ARGS="tests/unit -x", PYTEST_ARGS="-n 0 --pdb".
# POPFETCH_PORT moves the engine's port (4566); POPFETCH_CA_FILE names a PEM bundle that the local stack trusts too.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
SOURCES := shared functions infra tests
PYTEST := $(PYTHON) -m pytest -n 2 --dist loadfile
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE := 1
export PYTHONPATH := shared

.PHONY: help setup demo up down test test-real bench chaos check audit format console openapi dashboard lock

help:
	@sed -n 's/^#  *make/make/p' Makefile

setup:
	@infra/setup.sh

demo: setup
	@$(PYTHON) -m infra.local demo

up: setup
	@$(PYTHON) -m infra.local up

down:
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m infra.local down; fi

test: setup
	@$(PYTHON) -m infra.web test
	@$(PYTEST) -m "not real" $(PYTEST_ARGS)

test-real: setup
	@infra/install_real_servers.sh
	@$(PYTHON) -m infra.web install
	@$(PYTEST) -m real $(PYTEST_ARGS)

bench: setup
	@tests/bench/install_peers.sh
	@$(PYTHON) -m tests.bench $(PARTS)

chaos: setup
	@$(PYTHON) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(CYCLES),--cycles $(CYCLES))

check: setup
	@$(PYTHON) -m ruff format --check $(SOURCES)
	@$(PYTHON) -m ruff check $(SOURCES)
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-cache
	@$(PYTHON) -m infra.locks check
	@$(PYTHON) -m infra.secret_scan
	@$(PYTHON) -m infra.audit --where-asked
	@$(PYTHON) -m infra.openapi check
	@$(PYTHON) -m infra.dashboard check
	@$(PYTHON) -m infra.web check
	@.venv/bin/cfn-lint --append-rules cfn_lint_serverless.rules -- template.yaml
	@AWS_DEFAULT_REGION=us-east-1 .venv/bin/sam validate --lint

audit: setup
	@$(PYTHON) -m infra.audit

format: setup
	@$(PYTHON) -m ruff format $(SOURCES)
	@$(PYTHON) -m ruff check --fix $(SOURCES)

console: setup
	@$(PYTHON) -m infra.web build

openapi: setup
	@$(PYTHON) -m infra.openapi write

dashboard: setup
	@$(PYTHON) -m infra.dashboard write

lock: setup
	@$(PYTHON) -m infra.locks compile $(if $(UPGRADE),--upgrade)
