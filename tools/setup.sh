#!/bin/sh
# tools/setup.sh REQUIREMENTS: .venv with these pinned requirements; does nothing when they are in it already.
set -eu
requirements=$1
venv=.venv
stamp=$venv/installed-$(basename "$requirements" .txt)

is_new_enough() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if ! is_new_enough "$PYTHON"; then
            echo "PYTHON=$PYTHON is no working Python of 3.11 or newer with its venv module." >&2
            exit 1
        fi
        echo "$PYTHON"
        return
    fi
    # The system's own first: a distribution builds it with a profile of its use, which a version manager's build lacks;
    # pages take a quarter less with it.
    for candidate in /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
        if command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "No Python of 3.11 or newer with its venv module was found ($(python3 --version 2>&1 || true))." >&2
    echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make setup PYTHON=/path/to/python3.12" >&2
    exit 1
}

# What is installed depends on the files' content and on the place (a moved .venv does not work).
wanted=$({ cat requirements*.txt; pwd; } | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$venv/bin/python" -c '' >/dev/null 2>&1; then
    exit 0
fi

if ! is_new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    { [ -f "$venv/made-in" ] && [ "$(cat "$venv/made-in")" != "$(pwd)" ]; }; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    pwd >"$venv/made-in"
fi
echo "Installing $requirements"
"$venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --requirement "$requirements"
rm -f "$venv"/installed-*
echo "$wanted" >"$stamp"
# The larger set holds the smaller one.
if [ "$requirements" = requirements-dev.txt ]; then
    echo "$wanted" >"$venv/installed-requirements"
fi
