#!/usr/bin/env python3
"""The emulated network of ./dev up, in namespaces of this machine (root only).

    network.py up --linkemu PROGRAM --state DIR     build it and start the emulator
    network.py down --state DIR                     remove every trace

network.toml describes it. Each link is two veth pairs with the emulator between them; the emulator's packets
never leave this machine. Names ("london.demo") are in each namespace's own /etc/hosts.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

HOSTS = Path("/etc/netns")
SYSCTLS = {
    "net.ipv6.conf.all.accept_dad": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.default.router_solicitations": "0",
    "net.ipv4.icmp_ratelimit": "0",
    "net.ipv6.icmp.ratelimit": "0",
}
FORWARD = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    # Flows, with their ports, keep to one of several ways.
    "net.ipv4.fib_multipath_hash_policy": "1",
    "net.ipv6.fib_multipath_hash_policy": "1",
}


@dataclass
class Link:
    """`near` is the router's side (.1), `far` the site's or the other router's (.2)."""

    name: str
    near: str
    far: str
    net: int
    keys: str


def load() -> dict:
    return tomllib.loads(Path(__file__).with_name("network.toml").read_text())


def links(plan: dict) -> list[Link]:
    made = [Link(h["name"], *h["between"], h["net"], h["link"]) for h in plan["haul"]]
    return made + [Link(s["name"], s["router"], s["name"], s["net"], s["link"]) for s in plan["site"]]


def v4(net: int, side: int) -> str:
    return f"10.79.{net}.{side}"


def v6(net: int, side: int) -> str:
    return f"fd79:0:0:{net}::{side}"


def execute(command: list, text: str | None = None) -> str:
    done = subprocess.run([str(c) for c in command], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"network.py: {' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


class Network:
    def __init__(self, state: Path) -> None:
        self.plan = load()
        self.prefix = self.plan["prefix"]
        self.state = state
        self.config = state / "links.conf"
        self.pid_file = state / "linkemu.pid"

    def namespace(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def ip(self, name: str, *lines: str) -> None:
        """One ip(8) for many commands in one namespace."""
        execute(["ip", "-n", self.namespace(name), "-batch", "-"], "\n".join(lines) + "\n")

    def sysctl(self, name: str, values: dict[str, str]) -> None:
        settings = [f"{key}={value}" for key, value in values.items()]
        execute(["ip", "netns", "exec", self.namespace(name), "sysctl", "-qw", *settings])

    # -- building

    def up(self, linkemu: Path) -> None:
        self.down()
        self.state.mkdir(parents=True, exist_ok=True)
        execute(["ip", "netns", "add", self.namespace("emu")])
        self.sysctl("emu", {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"})
        routers = [r["name"] for r in self.plan["router"]]
        for name in routers + [s["name"] for s in self.plan["site"]]:
            self.add_namespace(name, FORWARD if name in routers else {})
        for link in links(self.plan):
            self.add_link(link, linkemu)
        self.add_routes()
        self.write_ways(set())
        self.write_links({})
        self.start_emulator(linkemu)

    def add_namespace(self, name: str, more: dict[str, str]) -> None:
        execute(["ip", "netns", "add", self.namespace(name)])
        self.sysctl(name, SYSCTLS | more)
        self.ip(name, "link set lo up")
        folder = HOSTS / self.namespace(name)
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["127.0.0.1 localhost", "::1 localhost"]
        for site in self.plan["site"]:
            full = f"{site['name']}.{self.plan['domain']}"
            lines += [f"{v4(site['net'], 2)} {full}", f"{v6(site['net'], 2)} {site['name']}6.{self.plan['domain']}"]
        (folder / "hosts").write_text("\n".join(lines) + "\n")
        # Nobody answers there, and says so at once: a query never waits for a server that cannot be reached.
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")

    def add_link(self, link: Link, linkemu: Path) -> None:
        near, far = f"n{link.net}", f"f{link.net}"
        inner_near, inner_far = f"l{link.net}a", f"l{link.net}b"
        self.ip("emu", f"link add {inner_near} type veth peer name {near}", f"link add {inner_far} type veth peer name {far}")
        execute(["ip", "netns", "exec", self.namespace("emu"), linkemu, "--nooffload", inner_near, near, inner_far, far])
        self.ip("emu", f"link set {inner_near} up", f"link set {inner_far} up",
                f"link set {near} netns {self.namespace(link.near)}", f"link set {far} netns {self.namespace(link.far)}")
        for name, device, side in ((link.near, near, 1), (link.far, far, 2)):
            self.ip(name, f"addr add {v4(link.net, side)}/30 dev {device}",
                    f"addr add {v6(link.net, side)}/64 dev {device} nodad", f"link set {device} up")
        for name, device, other, peer, side in ((link.near, near, link.far, far, 2), (link.far, far, link.near, near, 1)):
            self.know_neighbour(name, device, self.mac(other, peer), link.net, side)

    def mac(self, name: str, device: str) -> str:
        return json.loads(execute(["ip", "-json", "-n", self.namespace(name), "link", "show", device]))[0]["address"]

    def know_neighbour(self, name: str, device: str, mac: str, net: int, side: int) -> None:
        """Fixed neighbours: otherwise address resolution, delayed like all else, doubles the first round trips."""
        self.ip(name, f"neigh replace {v4(net, side)} lladdr {mac} dev {device}",
                f"neigh replace {v6(net, side)} lladdr {mac} dev {device}")

    def add_routes(self) -> None:
        for site in self.plan["site"]:
            self.ip(site["name"], f"route add default via {v4(site['net'], 1)}")
            self.ip6(site["name"], f"route add default via {v6(site['net'], 1)}")
        for haul in self.plan["haul"]:
            for here, there, side in ((*haul["between"], 2), (*reversed(haul["between"]), 1)):
                if here in self.transits():
                    self.route(here, self.nets_behind(there), [(haul["net"], side)])

    def transits(self) -> set[str]:
        return {router["name"] for router in self.plan["router"] if router.get("transit")}

    def nets_behind(self, router: str) -> list[int]:
        """Of its sites, and of its hauls, so that routers can be reached by their own addresses."""
        sites = [site["net"] for site in self.plan["site"] if site["router"] == router]
        return sites + [haul["net"] for haul in self.plan["haul"] if router in haul["between"]]

    def write_ways(self, avoided: set[str]) -> None:
        """Between regions: by every transit router that is not avoided, flows balanced over them."""
        hauls = [(haul["net"], *haul["between"]) for haul in self.plan["haul"]]
        ends = [router["name"] for router in self.plan["router"] if not router.get("transit")]
        for here in ends:
            for there in (router for router in ends if router != here):
                ways = [(net, 2 if near == here else 1) for net, near, far in hauls
                        if here in (near, far) and not {near, far} & avoided]
                self.route(here, self.nets_behind(there), ways)

    def route(self, name: str, nets: list[int], ways: list[tuple[int, int]]) -> None:
        """`ways` are (net, side) of the next hops; the router's own nets are connected already."""
        own = {haul["net"] for haul in self.plan["haul"] if name in haul["between"]}
        for net in (net for net in nets if net not in own):
            hops4 = " ".join(f"nexthop via {v4(way, side)}" for way, side in ways)
            hops6 = " ".join(f"nexthop via {v6(way, side)}" for way, side in ways)
            self.ip(name, f"route replace {v4(net, 0)}/30 {hops4}")
            self.ip6(name, f"route replace {v6(net, 0)}/64 {hops6}")

    def ip6(self, name: str, line: str) -> None:
        execute(["ip", "-6", "-n", self.namespace(name), *line.split()])

    # -- the emulator

    def write_links(self, changed: dict[str, str]) -> None:
        """The emulator's configuration; `changed` has the keys of links whose weather is not the usual."""
        lines = [f"pair l{k.net}a l{k.net}b name={k.name} {changed.get(k.name, k.keys)}" for k in links(self.plan)]
        fresh = self.config.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n")
        fresh.replace(self.config)

    def start_emulator(self, linkemu: Path) -> None:
        errors = self.state / "linkemu.log"
        with errors.open("w") as log:
            started = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace("emu"), linkemu, self.config, "--spin", "120", "--fifo", "1",
                 "--stats", self.state / "linkemu.json"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self.pid_file.write_text(str(started.pid))
        deadline = time.monotonic() + 10
        while "links up" not in errors.read_text():
            if started.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"network.py: the emulator did not start: {errors.read_text()}")
            time.sleep(0.02)

    def emulator_pid(self) -> int | None:
        """Only a live process that is a link emulator counts; a stale file does not."""
        try:
            pid = int(self.pid_file.read_text())
            return pid if "linkemu" in os.readlink(f"/proc/{pid}/exe") else None
        except (OSError, ValueError):
            return None

    def reload(self) -> None:
        pid = self.emulator_pid()
        if pid:
            os.kill(pid, signal.SIGHUP)

    # -- removing

    def namespaces(self) -> list[str]:
        listed = execute(["ip", "netns", "list"])
        names = [line.split()[0] for line in listed.splitlines() if line.strip()]
        return [name for name in names if name.startswith(f"{self.prefix}-")]

    def down(self) -> None:
        pid = self.emulator_pid()
        if pid:
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + 5
            while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
                time.sleep(0.02)
        self.pid_file.unlink(missing_ok=True)
        for name in self.namespaces():
            execute(["ip", "netns", "del", name])
        for folder in HOSTS.glob(f"{self.prefix}-*"):
            shutil.rmtree(folder)

    def is_up(self) -> bool:
        wanted = {self.namespace(part["name"]) for part in [*self.plan["router"], *self.plan["site"]]}
        return self.emulator_pid() is not None and wanted <= set(self.namespaces())


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("action", choices=["up", "down", "status"])
    arguments.add_argument("--state", type=Path, required=True)
    arguments.add_argument("--linkemu", type=Path)
    args = arguments.parse_args()
    network = Network(args.state)
    if args.action == "up":
        network.up(args.linkemu)
    elif args.action == "down":
        network.down()
    print("up" if network.is_up() else "down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
