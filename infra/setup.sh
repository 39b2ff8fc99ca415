#!/bin/sh
# Makes .venv what requirements-dev.txt says, on a machine that has a Python 3.13 and git and make; nothing else.
# Does nothing when it is that already. The make targets call it; it is safe to call at any time.
set -eu
cd "$(dirname "$0")/.."

wanted=3.13
lock=requirements-dev.txt
stamp=.venv/.synced-with

is_wanted() {
    [ -n "$1" ] && [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$wanted" ]
}

# Prints the path of a Python of the wanted version, wherever this machine keeps it.
find_python() {
    for name in "${POPFETCH_PYTHON:-}" "python$wanted" python3 python; do
        found=$(command -v "$name" 2>/dev/null || true)
        if is_wanted "$found"; then echo "$found"; return; fi
    done
    if command -v pyenv >/dev/null 2>&1; then
        version=$(pyenv latest "$wanted" 2>/dev/null || true)
        found="$(pyenv root)/versions/$version/bin/python"
        if [ -n "$version" ] && is_wanted "$found"; then echo "$found"; return; fi
    fi
    if command -v uv >/dev/null 2>&1; then
        found=$(uv python find --no-python-downloads "$wanted" 2>/dev/null || true)
        if is_wanted "$found"; then echo "$found"; return; fi
    fi
}

# Prints the path of uv: the one on PATH, or else our own, from the package index by its locked hash.
find_uv() {
    if command -v uv >/dev/null 2>&1; then command -v uv; return; fi
    bootstrap=.local/bootstrap
    if ! "$bootstrap/bin/uv" --version >/dev/null 2>&1; then
        rm -rf "$bootstrap"
        mkdir -p .local
        "$python" -m venv "$bootstrap" >&2
        "$bootstrap/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
            -r requirements-bootstrap.txt >&2
    fi
    echo "$PWD/$bootstrap/bin/uv"
}

checksum() { cksum < "$lock"; }

if is_wanted .venv/bin/python && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(checksum)" ]; then
    exit 0
fi

python=$(find_python)
if [ -z "$python" ]; then
    cat >&2 <<MISSING
popfetch needs Python $wanted, and none was found: neither as python$wanted on PATH, nor with pyenv, nor with uv.
Install one (for example "uv python install $wanted", "pyenv install $wanted" or your system's package), or name
one with POPFETCH_PYTHON=/path/to/python$wanted, and say make again.
MISSING
    exit 1
fi

echo "Setting up .venv from $lock ..." >&2
if ! is_wanted .venv/bin/python; then
    rm -rf .venv
fi
uv=$(find_uv)
if [ ! -d .venv ]; then
    "$uv" venv --quiet --python "$python" .venv
fi
VIRTUAL_ENV="$PWD/.venv" "$uv" pip sync --quiet --require-hashes "$lock"
checksum > "$stamp"
