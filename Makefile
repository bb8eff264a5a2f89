# make run · make test · make help.   Variables: PORT, DATA, DEMO, XEN_GIT, WORKERS, PYTHON.
PORT ?= 8000
DATA ?= var
DEMO ?= 1
XEN_GIT ?=
WORKERS ?= 2
FUZZ_SECONDS ?= 1800
PYTHON ?=
VENV = .venv
BIN = $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test check openapi bench fuzz setup-dev setup-fuzz setup-system clean

help:
	@echo 'make run     install, start everything on http://127.0.0.1:$(PORT)/, load the demo once; Ctrl-C stops it'
	@echo 'make setup   install what the server runs on into $(VENV), and nothing else'
	@echo 'make test    install what tests need, then every gate and every test'
	@echo 'make check   the gates alone: format, lint, types, imports, templates, deployment, migrations'
	@echo 'make openapi write docs/openapi.yaml anew after a change of the API'
	@echo 'make bench   measure on a real clone: make bench XEN_GIT=/path/to/xen.git'
	@echo 'make fuzz    feed patches, mails and files to the ladder at random, FUZZ_SECONDS=1800 for each of the three'
	@echo 'make clean   remove $(VENV) and the caches; keeps the data'
	@echo
	@echo 'PORT=8000    port of the web server (it listens on 127.0.0.1 only)'
	@echo 'DATA=var     folder of the database, repositories, logs'
	@echo 'DEMO=1       0: load no demo'
	@echo 'XEN_GIT=     path or URL of a Xen clone to fill the matrix with'
	@echo 'WORKERS=2    worker processes'
	@echo 'PYTHON=      a Python of 3.11 or newer, where it is not found by itself'

setup:
	@PYTHON='$(PYTHON)' sh tools/setup.sh requirements.txt

setup-dev:
	@PYTHON='$(PYTHON)' sh tools/setup.sh requirements-dev.txt

setup-fuzz:
	@PYTHON='$(PYTHON)' sh tools/setup.sh requirements-fuzz.txt

setup-system:
	@sh tools/system-packages.sh

run: setup
	@PORT='$(PORT)' DATA='$(DATA)' DEMO='$(DEMO)' XEN_GIT='$(XEN_GIT)' WORKERS='$(WORKERS)' FOLLOW_PARENT=1 \
		exec $(BIN)/python manage.py serve

check: setup-dev
	@sh tools/gates.sh

openapi: setup-dev
	@$(BIN)/python -W ignore::RuntimeWarning manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

test: setup-dev setup-system
	@sh tools/gates.sh
	@XEN_GIT='$(XEN_GIT)' sh tools/gate.sh tests $(BIN)/python -m pytest --numprocesses 3 --dist loadgroup \
		--no-loadscope-reorder

bench: setup
	@if [ -z '$(XEN_GIT)' ]; then echo 'Name a clone: make bench XEN_GIT=/path/to/xen.git' >&2; exit 2; fi
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && chmod 711 "$$data" && \
		DATA="$$data" $(BIN)/python manage.py bench '$(XEN_GIT)' --workers '$(WORKERS)'

fuzz: setup-fuzz
	HYPOTHESIS_EXAMPLES=2000 $(BIN)/python -m pytest --timeout=0 tests/engine/test_properties_c.py
	@mkdir -p '$(DATA)/fuzz'
	for target in ladder parser mail; do \
		$(BIN)/python -m tests.fuzz.run $$target "$(DATA)/fuzz/$$target" -max_total_time=$(FUZZ_SECONDS) \
			-dict=tests/fuzz/words.dict -max_len=1000000 -rss_limit_mb=300 -timeout=100 \
			-artifact_prefix="$(DATA)/fuzz/$$target-" || exit 1; \
	done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
