#!/bin/sh
# Every gate in order; stops at the first that fails. Nothing here needs a database or writes outside a folder of its own.
set -eu
bin=.venv/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
gate() { sh tools/gate.sh "$@"; }

export DATA="$scratch/data"
export DJANGO_SETTINGS_MODULE=backports.settings
unset DATABASE_URL DATABASE_OWNER_URL BROKER_URL DEBUG PRODUCTION 2>/dev/null || true

gate 'ruff format' "$bin/ruff" format --check --quiet .
gate 'ruff check' "$bin/ruff" check --quiet .
gate 'mypy' "$bin/mypy" --no-error-summary backports xsa manage.py
gate 'import contracts' "$bin/lint-imports" --no-logo
gate 'djlint format' "$bin/djlint" --check --quiet templates
gate 'djlint lint' "$bin/djlint" --lint --quiet templates
gate 'manage.py check --deploy' env PRODUCTION=1 ALLOWED_HOSTS=example.org \
    SECRET_KEY="$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    "$bin/python" manage.py check --deploy --fail-level WARNING
gate 'missing migrations' "$bin/python" -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run --verbosity 1
# The description of the API is what the code says; `make openapi` writes it anew.
gate 'OpenAPI without a warning' "$bin/python" -W ignore::RuntimeWarning manage.py spectacular \
    --validate --fail-on-warn --file "$scratch/openapi.yaml"
gate 'OpenAPI as checked in' diff -u docs/openapi.yaml "$scratch/openapi.yaml"
