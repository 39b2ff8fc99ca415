# shellcheck shell=sh
# To be read by other scripts (`. infra/debian_packages.sh`): has, quietly, and install_packages. What is installed starts
# no server; nothing is left behind.

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
remove_policy=""
tidy() {
    rm -f "$log"
    if [ -n "$remove_policy" ]; then rm -f "$policy"; fi
}
trap tidy EXIT

# Runs a command that is not heard of unless it fails.
quietly() {
    if ! "$@" > "$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
}

has() { command -v "$1" >/dev/null 2>&1; }

# Installs packages where that is allowed (as root, with apt-get); elsewhere says which are missing, and the last argument.
install_packages() {
    if [ -z "$1" ]; then return 0; fi
    if [ "$(id -u)" = 0 ] && has apt-get; then
        if [ ! -e "$policy" ]; then
            remove_policy=yes
            printf '#!/bin/sh\nexit 101\n' > "$policy"
            chmod +x "$policy"
        fi
        echo "Installing$1 ..." >&2
        export DEBIAN_FRONTEND=noninteractive
        quietly apt-get update
        # shellcheck disable=SC2086 # a list of words
        quietly apt-get install --yes --no-install-recommends $1
    else
        echo "Missing:$1. $2" >&2
    fi
}
