"""Networks of plain links for tests whose truth is their shape: namespaces of the laboratory's prefix, joined by veth
pairs without delay. A link NET between A and B has 10.78.NET.1 and fd78:0:0:NET::1 at A, .2 and ::2 at B."""
import subprocess

from laboratory import Lab

SYSCTLS = ("net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 "
           "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
           "net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1").split()


class Topology:
    def __init__(self, lab: Lab):
        self.lab = lab
        lab.up("chain=0", "farm=0", "far=0")  # "src" only; taking it down takes these along

    def address(self, net: int, end: int, family: int) -> str:
        return f"10.78.{net}.{end}" if family == 4 else f"fd78:0:0:{net:x}::{end}"

    def add(self, *names: str) -> None:
        for name in names:
            subprocess.run(["ip", "netns", "add", f"{self.lab.prefix}-{name}"], check=True)
            # Some of them need not exist in every kernel.
            self.lab.run("sh", "-c", f"for k in {' '.join(SYSCTLS)}; do sysctl -qw $k; done; ip link set lo up", place=name)

    def link(self, a: str, b: str, net: int) -> None:
        prefix = self.lab.prefix
        self.lab.change(a, "ip", "link", "add", f"n{net}", "type", "veth", "peer", "name", f"n{net}", "netns", f"{prefix}-{b}")
        for place, end in ((a, 1), (b, 2)):
            self.lab.change(place, "ip", "addr", "add", self.address(net, end, 4) + "/30", "dev", f"n{net}")
            self.lab.change(place, "ip", "addr", "add", self.address(net, end, 6) + "/64", "dev", f"n{net}", "nodad")
            self.lab.change(place, "ip", "link", "set", f"n{net}", "up")

    def default(self, place: str, *hops: tuple[int, int], weights: tuple[int, ...] = ()) -> None:
        """The default route over the ends (net, end) of links, shared when there are several; evenly without weights."""
        for family in (4, 6):
            route = ["ip", f"-{family}", "route", "replace", "default"]
            for i, (net, end) in enumerate(hops):
                route += (["nexthop"] if len(hops) > 1 else []) + ["via", self.address(net, end, family)]
                route += ["weight", str(weights[i])] if weights else []
            self.lab.change(place, *route)

    def to_source(self, place: str, net: int) -> None:
        """The way back, over the first end of link `net`."""
        for family, source in ((4, "10.78.0.0/30"), (6, "fd78:0:0:0::/64")):
            self.lab.change(place, "ip", f"-{family}", "route", "replace", source, "via", self.address(net, 1, family))
