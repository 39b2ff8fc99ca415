#!/bin/sh
# Installs what tests marked `real` talk to: Debian's servers, Node.js and browser, where that is allowed (as root, with
# apt-get), and the provider of tokens, from the npm registry as locked in tests/real/oidc, which needs no root.
# Elsewhere it says what is missing, and those tests are skipped. It is safe to run twice.
set -eu
cd "$(dirname "$0")/.."

. infra/debian_packages.sh

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

install_packages "$packages" "Tests that need them are skipped; install them to run those."

cd tests/real/oidc
stamp=node_modules/.synced-with
wanted=$(cksum < package-lock.json)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi
if has node && has npm; then
    echo "Installing the provider of tokens ..." >&2
    quietly npm ci
    echo "$wanted" > "$stamp"
fi
