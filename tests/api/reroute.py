"""Routes that really change, under a real agent and controller: one change there, one back, and the map follows; a branch
that is lost and comes back, with a probe that looks for branches by itself.

Two routers between the agent and the target, in namespaces of this machine (root only); before them one that balances flows
to further targets over both: a host itself does not balance what comes from raw sockets.
"""

import ctypes
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from harness import Client, Controller, Skipped, Tally, need, wait_for
from agents import Agent
from websocket import WebSocket

CLONE_NEWNET = 0x40000000
TARGET = "10.213.9.9"
# A search misses one of two branches once in 32 times, and again and again where the flows are the same: not for three targets.
BALANCED = ("10.213.9.8", "10.213.9.10", "10.213.9.11")
FIRST, SECOND = "10.213.1.2", "10.213.2.2"
NEAR, BRANCHES = "10.213.5.2", ("10.213.6.2", "10.213.7.2")
PLAN = """
netns add {0}; netns add {1}; netns add {2}; netns add {3}; netns add {4}
link add name a1 netns {0} type veth peer name a netns {1}
link add name a2 netns {0} type veth peer name a netns {2}
link add name b netns {1} type veth peer name b1 netns {3}
link add name b netns {2} type veth peer name b2 netns {3}
-n {0} addr add 10.213.1.1/24 dev a1; -n {1} addr add 10.213.1.2/24 dev a
-n {0} addr add 10.213.2.1/24 dev a2; -n {2} addr add 10.213.2.2/24 dev a
-n {1} addr add 10.213.3.1/24 dev b; -n {3} addr add 10.213.3.2/24 dev b1
-n {2} addr add 10.213.4.1/24 dev b; -n {3} addr add 10.213.4.2/24 dev b2
link add name n netns {0} type veth peer name s netns {4}
link add name q1 netns {4} type veth peer name n netns {1}; link add name q2 netns {4} type veth peer name n netns {2}
-n {0} addr add 10.213.5.1/24 dev n; -n {4} addr add 10.213.5.2/24 dev s
-n {4} addr add 10.213.6.1/24 dev q1; -n {1} addr add 10.213.6.2/24 dev n
-n {4} addr add 10.213.7.1/24 dev q2; -n {2} addr add 10.213.7.2/24 dev n
-n {0} link set dev n up; -n {4} link set dev s up; -n {4} link set dev q1 up; -n {4} link set dev q2 up
-n {1} link set dev n up; -n {2} link set dev n up
-n {3} addr add 10.213.9.9/32 dev lo; -n {3} addr add 10.213.9.8/32 dev lo
-n {3} addr add 10.213.9.10/32 dev lo; -n {3} addr add 10.213.9.11/32 dev lo
-n {0} link set dev lo up; -n {0} link set dev a1 up; -n {0} link set dev a2 up; -n {1} link set dev a up; -n {1} link set dev b up
-n {2} link set dev a up; -n {2} link set dev b up; -n {3} link set dev lo up; -n {3} link set dev b1 up; -n {3} link set dev b2 up
-n {1} route add 10.213.9.8/29 via 10.213.3.2; -n {2} route add 10.213.9.8/29 via 10.213.4.2
-n {3} route add 10.213.1.0/24 via 10.213.3.1; -n {3} route add 10.213.2.0/24 via 10.213.4.1
-n {0} route add 10.213.9.9/32 via 10.213.1.2; -n {0} route add 10.213.9.8/29 via 10.213.5.2
-n {4} route add 10.213.9.8/29 nexthop via 10.213.6.2 nexthop via 10.213.7.2
-n {1} route add 10.213.5.0/24 via 10.213.6.1; -n {2} route add 10.213.5.0/24 via 10.213.7.1
-n {3} route add 10.213.5.0/24 via 10.213.3.1
"""
SYSCTLS = ("net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0", "net.ipv4.icmp_msgs_per_sec=100000", "net.ipv4.conf.all.rp_filter=0",
           "net.ipv4.conf.default.rp_filter=0", "net.ipv4.fib_multipath_hash_policy=1")


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=20)
    need(done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@contextmanager
def inside(namespace: str):
    """This thread, and what it starts, in a namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        need(libc.setns(there.fileno(), CLONE_NEWNET) == 0, f"setns: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            need(libc.setns(home.fileno(), CLONE_NEWNET) == 0, "cannot come back from a namespace")


@contextmanager
def network():
    names = [f"nwreroute{os.getpid()}{place}" for place in ("s", "r", "q", "d", "n")]
    try:
        for line in PLAN.format(*names).strip().splitlines():
            for command in line.split(";"):
                ip(*command.split())
                if command.strip().startswith("netns add"):
                    subprocess.run(["ip", "netns", "exec", command.split()[-1], "sysctl", "-qw", *SYSCTLS], check=True, timeout=20)
        yield names[0], names[4]
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=20)


class Route:
    """A path probe of one run a second over the route that is taken now."""

    def __init__(self, namespace: str, root: Client, agent: str, target: str = TARGET, flows: str = "4") -> None:
        self.namespace = namespace
        self.target = target
        self.root = root
        self.base = f"/workspaces/{root.me['memberships'][0]['workspace']['id']}"
        settings = {"target": target, "interval": 1000, "cycles": 2, "flows": flows, "protocol": "udp", "mtu_discovery": False}
        made = root.post(f"{self.base}/probes", {"kind": "path", "agent_id": agent, "settings": settings}).expect(201).json
        self.probe = made["items"][0]["id"]
        self.path = f"{self.base}/probes/{self.probe}/path"

    def runs(self, since_us: int) -> int:
        query = {"from": since_us, "to": int(time.time() * 1e6) + 1_000_000}
        return len(self.root.get(f"{self.base}/probes/{self.probe}/samples", query=query).expect(200).json["rows"]["at_us"])

    def take(self, *routers: str) -> int:
        ways = [word for router in routers for word in ("nexthop", "via", router)]
        ip("-n", self.namespace, "route", "replace", f"{self.target}/32", *ways)
        return int(time.time() * 1e6)

    def settle(self, since_us: int, runs: int) -> None:
        wait_for(f"{runs} runs", lambda: self.runs(since_us) >= runs, 60)

    def changes(self) -> dict:
        now = int(time.time() * 1e6)
        return self.root.get(f"{self.path}/changes", query={"from": now - 600_000_000, "to": now + 1_000_000}).expect(200).json

    def addresses(self) -> list[str]:
        return [h["address"] for h in self.root.get(self.path, query={"at": int(time.time() * 1e6), "window": 60}).expect(200).json["hops"]]


def next_change(socket: WebSocket) -> dict:
    messages = socket.until(lambda m: any(e["type"] == "route_change" for e in m.get("events", [])))
    return next(e["change"] for e in messages[-1]["events"] if e["type"] == "route_change")


def there_and_back(route: Route) -> None:
    start = int(time.time() * 1e6)
    route.settle(start, 15)
    need(route.addresses() == [FIRST, TARGET], f"the path: {route.addresses()}")
    with WebSocket(route.root) as socket:
        workspace = route.base.rpartition("/")[2]
        socket.ask({"type": "subscribe", "id": 1, "workspace": workspace, "topic": "probe", "probe": route.probe})
        at = route.take(SECOND)
        first = next_change(socket)
        need(at - 1_000_000 <= first["at_us"] <= at + 2_000_000, f"dated {(first['at_us'] - at) / 1e6:.1f} s after the reroute")
        need(first["confirmed_us"] - first["at_us"] <= 4_000_000, f"confirmed {(first['confirmed_us'] - first['at_us']) / 1e6:.1f} s later")
        need([h["address"] for h in first["added"]] == [SECOND] and [h["address"] for h in first["removed"]] == [FIRST], f"{first}")
        route.settle(at, 15)
        need(len(route.changes()["changes"]) == 1, "more than one change")
        back = route.take(FIRST)
        second = next_change(socket)
        need(back - 1_000_000 <= second["at_us"] <= back + 2_000_000, f"dated {(second['at_us'] - back) / 1e6:.1f} s after the way back")
    route.settle(back, 15)
    history = route.changes()
    need(len(history["changes"]) == 2, f"{len(history['changes'])} changes there and back")
    need(history["changes"][1]["after"] == history["changes"][0]["before"], "the way back is another route")
    need(len(history["routes"]) == 2 and 0.4 < history["stability"] < 1, f"{history['routes']}, {history['stability']}")
    diff = route.root.get(f"{route.path}/diff", query={"before": first["at_us"] - 1, "after": second["at_us"] - 1_000_000, "window": 60})
    need(diff.expect(200).json["added"] == [f"1:{SECOND}"], f"{diff.json['added']}")
    nodes = {n["id"]: n for n in route.root.get(f"{route.base}/topology").expect(200).json["nodes"]}
    need({f"r{FIRST}", f"t{TARGET}"} <= nodes.keys() and f"r{SECOND}" not in nodes, f"not the map of now: {list(nodes)}")
    need(nodes[f"t{TARGET}"]["grade"] in ("excellent", "good"), f"{nodes[f't{TARGET}']}")


def balanced(namespace: str, root: Client, agent: str) -> Route:
    """A probe that has found both branches and looked at them for a while."""
    routes = [Route(namespace, root, agent, target, "mda") for target in BALANCED]
    now = int(time.time() * 1e6)
    for route in routes:
        route.settle(now, 30)
    found = [route for route in routes if sorted(route.addresses()) == sorted([NEAR, *BRANCHES, route.target])]
    need(found, f"both branches: {[route.addresses() for route in routes]}")
    return found[0]


def lost_and_found(route: Route) -> None:
    """One of two branches: told in a few runs, and found again without being asked for."""
    need(route.changes()["changes"] == [], f"{route.changes()['changes']}")
    at = route.take(BRANCHES[0])
    wait_for("the loss to be told", lambda: len(route.changes()["changes"]) == 1, 30)
    back = route.take(*BRANCHES)
    wait_for("the return to be told", lambda: len(route.changes()["changes"]) == 2, 120)
    lost, found = route.changes()["changes"]
    need(at - 1_000_000 <= lost["at_us"] <= at + 3_000_000, f"dated {(lost['at_us'] - at) / 1e6:.1f} s after the loss")
    need([h["address"] for h in lost["removed"]] == [BRANCHES[1]] and lost["added"] == [], f"told of the loss: {lost}")
    # Nobody can see it before the branches are looked for again.
    need(back <= found["at_us"] <= back + 75_000_000, f"dated {(found['at_us'] - back) / 1e6:.1f} s after the return")
    need([h["address"] for h in found["added"]] == [BRANCHES[1]] and found["removed"] == [], f"told of the return: {found}")


def run(build: Path, scratch: Path, tally: Tally) -> None:
    def alone() -> None:
        if os.geteuid() != 0:
            raise Skipped("namespaces: needs root")
        with network() as (namespace, near), inside(namespace), Controller(build, scratch) as controller:
            root = controller.set_up()
            base = f"/workspaces/{root.me['memberships'][0]['workspace']['id']}"
            made = root.post(f"{base}/agents", {"name": "edge"}).expect(201).json
            with Agent(controller, scratch / "agent").enrol(made["enrolment"]["token"]):
                there_and_back(Route(namespace, root, made["agent"]["id"]))
                lost_and_found(balanced(near, root, made["agent"]["id"]))

    tally.check("reroute is one change there and one back, told live; so is the loss of one branch of two", alone)
