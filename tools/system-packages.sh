#!/bin/sh
# What the tests need of the system: a browser, two brokers, a C compiler, a sandbox, GNU patch, quilt, gpg, ssh-keygen,
# git and git send-email. Debian's packages are installed where that is
# allowed; elsewhere it names the command that a person must run, and fails. No service that a package brings stays running.
set -eu
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin

has() { command -v "$1" >/dev/null 2>&1; }

missing=''
need() {
    # need PACKAGE PROGRAM...: the package is missing when none of its programs is there.
    package=$1
    shift
    for program in "$@"; do
        if has "$program"; then return 0; fi
    done
    missing="$missing $package"
}

need git git
if ! [ -x "$(git --exec-path 2>/dev/null)/git-send-email" ]; then missing="$missing git-email"; fi
if ! perl -MMail::Address -e 1 2>/dev/null; then missing="$missing libmailtools-perl"; fi
need patch patch
need quilt quilt
need gnupg gpg
need openssh-client ssh-keygen
need bubblewrap bwrap
need gcc gcc
need chromium chromium chromium-browser google-chrome
need redis-server redis-server valkey-server
need rabbitmq-server rabbitmq-server
if [ -z "$missing" ]; then
    exit 0
fi

if [ "$(id -u)" = 0 ]; then
    as_root=''
elif has sudo && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    as_root='none'
fi
if ! has apt-get || [ "$as_root" = none ]; then
    echo "The tests need:$missing" >&2
    echo "They cannot be installed from here. Have an administrator run, then start again:" >&2
    echo "    apt-get install --no-install-recommends$missing      (or your system's packages of these programs)" >&2
    exit 1
fi

# A package starts its service while it is installed, unless this file says no (exit status 101).
policy=/usr/sbin/policy-rc.d
made_policy=no
forbid_services() {
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
        $as_root chmod 755 "$policy"
        made_policy=yes
    fi
}
allow_services() {
    if [ "$made_policy" = yes ]; then $as_root rm -f "$policy"; fi
}
trap allow_services EXIT
trap 'exit 1' INT TERM

echo "Installing$missing"
forbid_services
log=$(mktemp)
install() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends \
        -o DPkg::Lock::Timeout=300 $missing </dev/null >"$log" 2>&1
}
if ! { $as_root apt-get update --quiet </dev/null >"$log" 2>&1 && install; }; then
    tail -n 20 "$log" >&2
    echo "Installing$missing failed. Repair the package sources, or have an administrator install them." >&2
    exit 1
fi
rm -f "$log"
# RabbitMQ needs Erlang's name server, which the packaging may have started; the tests start one of their own.
