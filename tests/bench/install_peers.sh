#!/bin/sh
# Installs what the benchmarks measure popfetch beside: dovecot, which has the mailboxes, and the other fetchers, where
# that is allowed (as root, with apt-get). Elsewhere it says what is missing: the fetchers are left out of the tables
# then, and without dovecot there is nothing to fetch from. It is safe to run twice.
set -eu

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

packages=""
[ -x /usr/lib/dovecot/pop3 ] || packages="$packages dovecot-pop3d"
has mpop || packages="$packages mpop"
has fetchmail || packages="$packages fetchmail"
has fdm || packages="$packages fdm"
has getmail || packages="$packages getmail6"
[ -x /usr/sbin/nginx ] || packages="$packages nginx-light" # takes PUTs at next to no cost
if [ -z "$packages" ]; then exit 0; fi

if [ "$(id -u)" = 0 ] && has apt-get; then
    # The benchmarks start a server of their own, and no fetcher is to run by itself: what is installed starts nothing.
    if [ ! -e "$policy" ]; then
        remove_policy=yes
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod +x "$policy"
    fi
    echo "Installing$packages ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    quietly apt-get update
    # shellcheck disable=SC2086 # a list of words
    quietly apt-get install --yes --no-install-recommends $packages
else
    echo "Missing:$packages. Benchmarks leave out what is not there; install them to have it measured." >&2
fi
