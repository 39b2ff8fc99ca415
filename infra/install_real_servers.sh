#!/bin/sh
# Installs the real servers that tests marked `real` talk to, where that is allowed: as root, with apt-get.
# Elsewhere it says what is missing, and those tests are skipped.
set -eu

packages=""
[ -x /usr/lib/dovecot/pop3 ] || packages="$packages dovecot-pop3d"
[ -x /usr/sbin/pop3d ] || packages="$packages mailutils-pop3d"
[ -x /usr/lib/postfix/sbin/master ] || packages="$packages postfix"

if [ -z "$packages" ]; then exit 0; fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing:$packages. Tests that need them are skipped; install them to run those." >&2
    exit 0
fi

# The tests start servers of their own: what is installed must not start one.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
echo "Installing$packages ..." >&2
log=$(mktemp)
# shellcheck disable=SC2086 # a list of words
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $packages; } \
    > "$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
