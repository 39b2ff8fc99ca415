#!/bin/sh
# Installs what tests marked `real` talk to: Debian's servers, Node.js and browser, where that is allowed (as root, with
# apt-get), and the provider of tokens, from the npm registry as locked in tests/real/oidc, which needs no root.
# Elsewhere it says what is missing, and those tests are skipped. It is safe to run twice.
set -eu
cd "$(dirname "$0")/.."

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

has_library() {
    for file in /usr/lib*/"$1" /usr/lib/*/"$1"; do
        if [ -e "$file" ]; then return 0; fi
    done
    return 1
}

packages=""
[ -x /usr/lib/dovecot/pop3 ] || packages="$packages dovecot-pop3d"
[ -x /usr/sbin/pop3d ] || packages="$packages mailutils-pop3d"
[ -x /usr/lib/postfix/sbin/master ] || packages="$packages postfix"
[ -x /usr/bin/chromium ] || packages="$packages chromium"
has_library libatomic.so.1 || packages="$packages libatomic1" # what drives the browser needs it
has node || packages="$packages nodejs"
has npm || packages="$packages npm"

if [ -n "$packages" ]; then
    if [ "$(id -u)" = 0 ] && has apt-get; then
        # The tests start servers of their own: what is installed must not start one.
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
        echo "Missing:$packages. Tests that need them are skipped; install them to run those." >&2
    fi
fi

cd tests/real/oidc
stamp=node_modules/.synced-with
wanted=$(cksum < package-lock.json)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi
if has node && has npm; then
    echo "Installing the provider of tokens ..." >&2
    quietly npm ci
    echo "$wanted" > "$stamp"
fi
