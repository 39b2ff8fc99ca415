#!/bin/sh
# Installs what the benchmarks measure popfetch beside: dovecot, which has the mailboxes, and the other fetchers, where
# that is allowed (as root, with apt-get). Elsewhere it says what is missing: the fetchers are left out of the tables
# then, and without dovecot there is nothing to fetch from. It is safe to run twice.
set -eu
cd "$(dirname "$0")/../.."
. infra/debian_packages.sh

packages=""
[ -x /usr/lib/dovecot/pop3 ] || packages="$packages dovecot-pop3d"
has mpop || packages="$packages mpop"
has fetchmail || packages="$packages fetchmail"
has fdm || packages="$packages fdm"
has getmail || packages="$packages getmail6"
[ -x /usr/sbin/nginx ] || packages="$packages nginx-light" # takes PUTs at next to no cost
[ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] || packages="$packages libnginx-mod-http-lua"

install_packages "$packages" "Benchmarks leave out what is not there; install them to have it measured."
