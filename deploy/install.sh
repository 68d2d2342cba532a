#!/bin/bash
# Installs what `./dev build release` made onto this machine, with its systemd unit.
#
#   deploy/install.sh controller|agent [--build DIR]     install or upgrade, and start
#   deploy/install.sh remove controller|agent            stop and remove programs and unit; data and settings stay
#
# Programs go to /usr/local/bin, settings to /etc/netwatcher, data stays in /var/lib. Running it again upgrades: the
# new program is put in place in one step and the service restarted.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "install.sh: $*" >&2; exit 1; }
usage() { sed -n '2,/^set -euo/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2; }

make_user() {
    getent passwd "$1" >/dev/null && return
    useradd --system --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$1"
}

# The rename is atomic: a program that is running keeps its old file.
put_program() {
    local built=$1 name=$2
    [[ -x $built ]] || die "no $built: run ./dev build release first"
    install -D -m 0755 "$built" "/usr/local/bin/.$name.new"
    strip --strip-unneeded "/usr/local/bin/.$name.new" 2>/dev/null || true
    mv "/usr/local/bin/.$name.new" "/usr/local/bin/$name"
}

put_config() {
    local file=/etc/netwatcher/$1
    install -d -m 0755 /etc/netwatcher
    [[ -e $file ]] && return
    printf '%s\n' "$2" > "$file"
    chmod 0644 "$file"
}

# The units name the place of packages; what is installed by hand belongs under /usr/local.
install_unit() {
    sed 's#=/usr/bin/#=/usr/local/bin/#' "deploy/systemd/$1.service" > "/etc/systemd/system/$1.service"
    chmod 0644 "/etc/systemd/system/$1.service"
    systemctl daemon-reload
    systemctl enable "$1" >/dev/null
}

install_controller() {
    make_user netwatcher
    put_program "$build/apps/controller/netwatcher-controller" netwatcher-controller
    # For the built-in agent, and as the package that /install.sh hands out to other hosts.
    put_program "$build/apps/agent/netwatcher-agent" netwatcher-agent
    tools/pack_agent.py --build "$build" --out /usr/local/share/netwatcher/downloads > /dev/null
    put_config controller.toml "# Every setting has a default: netwatcher-controller serve --print-config shows them."
    install_unit netwatcher-controller
    systemctl restart netwatcher-controller
    echo "The controller runs. Its one-time set-up URL (behind a name of its own, say so with --base):"
    # As the service's user, so that the files it makes belong to that user.
    runuser -u netwatcher -- /usr/local/bin/netwatcher-controller admin setup-url --config /etc/netwatcher/controller.toml
}

# The unit runs under a dynamic user, to whom systemd gives the state directory, whoever enrolled it.
install_agent() {
    put_program "$build/apps/agent/netwatcher-agent" netwatcher-agent
    put_config agent.toml "# Every setting has a default: netwatcher-agent --print-config shows them."
    install_unit netwatcher-agent
    if [[ -e /var/lib/netwatcher-agent/identity.json || -e /var/lib/private/netwatcher-agent/identity.json ]]; then
        systemctl restart netwatcher-agent
        echo "The agent runs."
        return
    fi
    echo "The agent is installed. Enrol it with the command that the panel shows, then start it:"
    echo "  sudo netwatcher-agent enroll --controller URL --token TOKEN && sudo systemctl start netwatcher-agent"
}

remove() {
    [[ $1 == controller ]] && rm -rf /usr/local/share/netwatcher/downloads
    systemctl disable --now "netwatcher-$1" 2>/dev/null || true
    rm -f "/etc/systemd/system/netwatcher-$1.service" "/usr/local/bin/netwatcher-$1"
    systemctl daemon-reload
    echo "removed netwatcher-$1; /etc/netwatcher and the data under /var/lib stay"
}

[[ $# -ge 1 ]] || usage
[[ $(id -u) == 0 ]] || die "needs root"
command -v systemctl >/dev/null || die "needs systemd; the programs also run without it, see docs/operations/install.md"
build=build/release
what=$1; shift
if [[ $what == remove ]]; then
    [[ ${1:-} == controller || ${1:-} == agent ]] || usage
    remove "$1"
    exit
fi
while [[ $# -gt 0 ]]; do
    case $1 in
        --build) build=${2:?}; shift 2 ;;
        *) usage ;;
    esac
done
case $what in
    controller) install_controller ;;
    agent) install_agent ;;
    *) usage ;;
esac
