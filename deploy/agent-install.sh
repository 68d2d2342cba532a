#!/bin/sh
# Installs the NetWatcher agent on this host and enrols it with the controller that this script came from.
#
#   curl -fsSL @CONTROLLER@/install.sh | sudo sh -s -- --token TOKEN
#
#   --token TOKEN     the single-use token that the panel shows; without it an enrolled agent is upgraded
#   --file FILE       a package that was fetched before (hosts that cannot download; its checksum is verified as well)
#   --ca-file FILE    a certificate authority to trust besides the system's (PEM)
#   --insecure        accept any certificate, and plain http from another host: for tests only
#   --again           replace an enrolment that this host already has
#   --controller URL  another address of the controller
#
# The program goes to /usr/local/bin, a systemd unit to /etc/systemd/system, settings to /etc/netwatcher, data to
# /var/lib/netwatcher-agent. Running it again upgrades. Everything is in functions, so that a script that breaks off
# halfway on its way here runs nothing.
set -eu

controller='@CONTROLLER@'
# Packages of that controller: system, architecture, name and SHA-256, one a line.
packages='@PACKAGES@'

program=/usr/local/bin/netwatcher-agent
unit=/etc/systemd/system/netwatcher-agent.service
data=/var/lib/netwatcher-agent
token='' file='' ca_file='' insecure='' again=''

say() { echo "netwatcher: $*"; }
die() { echo "netwatcher: $*" >&2; exit 1; }

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --token) token=${2:?--token needs a value}; shift 2 ;;
            --file) file=${2:?--file needs a value}; shift 2 ;;
            --ca-file) ca_file=${2:?--ca-file needs a value}; shift 2 ;;
            --controller) controller=${2:?--controller needs a value}; shift 2 ;;
            --insecure) insecure=yes; shift ;;
            --again) again=yes; shift ;;
            *) die "unknown option $1" ;;
        esac
    done
}

check_host() {
    [ "$(id -u)" = 0 ] || die "needs root: pipe it into 'sudo sh -s --' instead of 'sh -s --'"
    [ "$(uname -s)" = Linux ] || die "there is no agent for $(uname -s) yet"
    case $(uname -m) in
        x86_64 | amd64) arch=amd64 ;;
        aarch64 | arm64) arch=arm64 ;;
        armv7l | armv6l) arch=armhf ;;
        *) arch=$(uname -m) ;;
    esac
}

find_package() {
    line=$(printf '%s\n' "$packages" | awk -v arch="$arch" '$1 == "linux" && $2 == arch { print; exit }')
    if [ -z "$line" ]; then
        there=$(printf '%s\n' "$packages" | awk 'NF { printf "%s%s-%s", sep, $1, $2; sep = ", " }')
        die "this controller has no agent for linux-$arch; it has: ${there:-none}. Its administrator adds packages to its downloads directory"
    fi
    name=$(printf '%s' "$line" | awk '{ print $3 }')
    wanted=$(printf '%s' "$line" | awk '{ print $4 }')
}

fetch() {
    if command -v curl > /dev/null; then
        curl -fsSL ${ca_file:+--cacert "$ca_file"} ${insecure:+--insecure} -o "$2" "$1"
    elif command -v wget > /dev/null; then
        wget -q ${ca_file:+--ca-certificate="$ca_file"} ${insecure:+--no-check-certificate} -O "$2" "$1"
    else
        die "needs curl or wget"
    fi
}

sum_of() {
    if command -v sha256sum > /dev/null; then sha256sum "$1" | awk '{ print $1 }'
    else openssl dgst -sha256 -r "$1" | awk '{ print $1 }'; fi
}

get_package() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    if [ -n "$file" ]; then
        cp "$file" "$work/package"
    else
        say "fetching $name from $controller"
        fetch "$controller/download/$name" "$work/package" || die "$controller/download/$name could not be fetched"
    fi
    found=$(sum_of "$work/package")
    [ "$found" = "$wanted" ] || die "the checksum of the package is $found instead of $wanted: nothing was installed"
    tar -xzf "$work/package" -C "$work"
}

# The program needs a few libraries of the distribution.
check_runs() {
    "$work/netwatcher-agent" --version > /dev/null 2>&1 && return
    if command -v apt-get > /dev/null && [ -s "$work/depends" ]; then
        say "installing the libraries it needs: $(tr '\n' ' ' < "$work/depends")"
        # shellcheck disable=SC2046 -- one word a package
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y $(cat "$work/depends"); } > "$work/apt.log" 2>&1 \
            || { tail -n 5 "$work/apt.log" >&2; die "apt-get could not install them"; }
        "$work/netwatcher-agent" --version > /dev/null 2>&1 && return
    fi
    "$work/netwatcher-agent" --version || true
    die "the program does not run on this host; it needs: $(tr '\n' ' ' < "$work/depends")"
}

has_systemd() { [ -d /run/systemd/system ] && command -v systemctl > /dev/null; }

# The rename is atomic: a program that is running keeps its old file.
put_program() {
    install -D -m 0755 "$work/netwatcher-agent" "$program.new"
    mv "$program.new" "$program"
    if [ ! -e /etc/netwatcher/agent.toml ]; then
        install -d -m 0755 /etc/netwatcher
        echo '# Every setting has a default: netwatcher-agent --print-config shows them.' > /etc/netwatcher/agent.toml
    fi
    has_systemd || return 0
    install -m 0644 "$work/netwatcher-agent.service" "$unit"
    systemctl daemon-reload
}

enrol() {
    [ -n "$token" ] || return 0
    has_systemd && systemctl stop netwatcher-agent 2> /dev/null || true
    "$program" enroll --controller "$controller" --token "$token" --data-dir "$data" \
        ${ca_file:+--ca-file "$ca_file"} ${insecure:+--insecure} ${again:+--again} \
        || die "the agent is installed, but could not be enrolled"
    # The service runs under a user of its own, to whom everything in its directory belongs.
    chown -R --reference="$data/." "$data/." 2> /dev/null || true
}

start() {
    if [ ! -e "$data/identity.json" ] && [ ! -e "/var/lib/private/netwatcher-agent/identity.json" ]; then
        say "the agent is installed. Enrol it with the token that the panel shows: run this again with --token"
        return
    fi
    if has_systemd; then
        systemctl enable netwatcher-agent > /dev/null 2>&1
        systemctl restart netwatcher-agent || die "the service does not start: journalctl -u netwatcher-agent"
        say "the agent runs; sudo netwatcher-agent status shows what it is doing"
    else
        say "the agent is installed and enrolled. There is no systemd here; start it under your supervisor with"
        say "  $program run"
    fi
}

main() {
    read_arguments "$@"
    check_host
    find_package
    get_package
    check_runs
    put_program
    enrol
    start
}

main "$@"
