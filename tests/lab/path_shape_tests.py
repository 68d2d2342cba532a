"""Tests of the path engine where the shape of the network is the truth, or what happens to packets on the way: branches,
translation, labels, narrow links, loops. Run by run.py; every test builds the network that it needs."""
import ipaddress
import subprocess
import time

from laboratory import HERE, Lab, check, equal
from path_tests import DST, DST6, FULL, PLAIN, errors_against_truth, router
from topology import Topology


def diamonds(lab: Lab) -> Topology:
    """src - r1 - r2 = {a, b, c, d} = r3 - dst, and a is split again: {a1, a2}."""
    net = Topology(lab)
    net.add("r1", "r2", "a", "b", "c", "d", "a1", "a2", "b1", "c1", "d1", "r3", "dst")
    net.link("src", "r1", 0)
    net.link("r1", "r2", 1)
    for number, branch in enumerate("abcd"):
        net.link("r2", branch, 10 + number)
    inner = {"a1": ("a", 20), "a2": ("a", 21), "b1": ("b", 22), "c1": ("c", 23), "d1": ("d", 24)}
    for name, (before, number) in inner.items():
        net.link(before, name, number)
        net.link(name, "r3", number + 10)
    net.link("r3", "dst", 40)
    net.default("src", (0, 2))
    net.default("r1", (1, 2))
    net.default("r2", (10, 2), (11, 2), (12, 2), (13, 2))
    # Every namespace hashes alike: what comes to a is the first quarter of all flows, and is shared by halves like this.
    net.default("a", (20, 2), (21, 2), weights=(1, 7))
    for name, (before, number) in inner.items():
        if before != "a":
            net.default(before, (number, 2))
        net.default(name, (number + 10, 2))
        net.to_source(name, number)
    net.default("r3", (40, 2))
    for place, back in (("r2", 1), ("a", 10), ("b", 11), ("c", 12), ("d", 13), ("r3", 32), ("dst", 40)):
        net.to_source(place, back)
    return net


def test_four_branches_and_one_of_them_split_again(lab: Lab) -> None:
    net = diamonds(lab)
    for family in (4, 6):
        near = {n: str(ipaddress.ip_address(net.address(n, 2, family))) for n in (0, 1, 10, 11, 12, 13, 20, 21, 22, 23, 24, 30, 31, 32, 33, 34, 40)}
        links = {(near[0], near[1])} | {(near[1], near[n]) for n in (10, 11, 12, 13)}
        links |= {(near[10], near[20]), (near[10], near[21]), (near[11], near[22]), (near[12], near[23]), (near[13], near[24])}
        # With IPv4, router 3 answers from where its way back begins, with IPv6 from where the packet came in.
        r3 = {n: near[32 if family == 4 else n + 10] for n in (20, 21, 22, 23, 24)}
        links |= {(near[n], at) for n, at in r3.items()} | {(at, near[40]) for at in r3.values()}
        # Each branch is found with 95 % or more; in a few tries all of them.
        for _ in range(5):
            traced = lab.trace(near[40], "--flows", "mda", "--cycles", 10, "--period", "50ms", "--protocol", "udp", "--timeout", "500ms")
            found = {(link["from"], link["to"]) for link in traced.summary["branches"]["links"]}
            equal(found - links, set(), f"links that are not there, IPv{family}")
            if found == links:
                break
        equal(found, links, f"links, IPv{family}")
        check(traced.summary["branches"]["covered"], "flows that pass all of it")
        for hop in traced.hops:
            equal((hop["answered"], hop["verdict"]), (hop["sent"], "none"), f"hop {hop['ttl']} {hop['address']}")


def test_balanced_packet_by_packet(lab: Lab) -> None:
    net = Topology(lab)
    net.add("r1", "a", "b", "r2", "dst")
    for a, b, number in (("src", "r1", 0), ("r1", "a", 1), ("r1", "b", 2), ("a", "r2", 3), ("b", "r2", 4), ("r2", "dst", 5)):
        net.link(a, b, number)
    for place, hop in (("src", (0, 2)), ("r1", (1, 2)), ("a", (3, 2)), ("b", (4, 2)), ("r2", (5, 2))):
        net.default(place, hop)
    for place, back in (("a", 1), ("b", 2), ("r2", 3), ("dst", 5)):
        net.to_source(place, back)
    lab.change("r1", "ip", "route", "add", "default", "via", "10.78.2.2", "table", "102")
    lab.change("r1", "ip", "rule", "add", "fwmark", "2", "table", "102")
    lab.change("r1", "nft", "add table ip each; add chain ip each p { type filter hook prerouting priority -150; };"
                            'add rule ip each p iifname "n0" meta mark set numgen random mod 2 map { 0 : 1, 1 : 2 }')
    traced = lab.trace("10.78.5.2", "--cycles", 40, "--period", "50ms", "--timeout", "300ms")
    for hop in traced.hops:
        equal((hop["per_packet"], hop["verdict"]), (hop["ttl"] == 2, "none"), f"hop {hop['ttl']} {hop.get('address')}")
    equal({hop["address"] for hop in traced.hops if hop["ttl"] == 2}, {"10.78.1.2", "10.78.2.2"}, "both routers")
    equal(sum(hop["answered"] for hop in traced.hops if hop["ttl"] == 2), 40, "answers at the split")


def test_translation_is_seen_behind_the_translator(lab: Lab) -> None:
    """Without a memory of connections, which would translate the quotations back."""
    lab.up(*PLAIN)
    lab.change("r4", "nft", "add table ip nat4; add chain ip nat4 back { type filter hook prerouting priority -300; };"
                            "add chain ip nat4 out { type filter hook postrouting priority 300; };"
                            'add rule ip nat4 back iifname "e4" ip daddr 10.77.4.1 ip daddr set 10.77.0.1;'
                            'add rule ip nat4 out oifname "e4" ip saddr 10.77.0.1 ip saddr set 10.77.4.1')
    for number in range(6, 11):  # back to the translator
        lab.change(f"r{number}", "ip", "route", "add", "10.77.4.0/30", "via", f"10.77.{number - 1}.1")
    traced = lab.trace(DST, "--cycles", 3, "--period", "100ms")
    check(traced.summary["reached"], "not reached")
    for hop in traced.hops[:10]:
        equal(hop["altered"].get("source"), "10.77.4.1" if hop["ttl"] > 4 else None, f"source as hop {hop['ttl']} saw it")


def test_labels_and_interfaces_that_a_router_tells(lab: Lab) -> None:
    lab.up(*PLAIN)
    lab.change("r5", "nft", "add table inet mute; add chain inet mute o { type filter hook output priority 0; };"
                            "add rule inet mute o icmp type time-exceeded @th,64,8 0x45 @th,40,8 0 drop")
    process = lab.start("python3", HERE / "responder.py", "e4", router(5), place="r5", stdout=subprocess.PIPE)
    try:
        equal(process.stdout.readline().strip(), "ready", "responder")
        traced = lab.trace(DST, "--cycles", 3, "--period", "100ms", "--protocol", "udp", "--size", 100)
    finally:
        process.kill()
        process.wait(10)
    hop = traced.hop(5)
    equal((hop["address"], hop["answered"]), (router(5), 3), "router 5")
    equal([(label["label"], label["traffic_class"], label["bottom"], label["ttl"]) for label in hop["mpls"]],
          [(30005, 3, False, 1), (16, 0, True, 7)], "MPLS labels")
    equal(hop["interfaces"], [{"role": "incoming", "index": 517, "address": "192.0.2.77", "name": "ge-0/1", "mtu": 9192}], "interfaces")
    check("mpls" not in traced.hop(4), "labels of a router that told none")


def narrow(lab: Lab, silent: bool) -> None:
    lab.up(*PLAIN)
    for place in ("r5", "r6"):
        lab.change(place, "ip", "link", "set", "e5", "mtu", "1400")
    if silent:
        lab.change("r5", "nft", "add table inet hole; add chain inet hole o { type filter hook output priority 0; };"
                                "add rule inet hole o icmp type destination-unreachable icmp code 4 drop;"
                                "add rule inet hole o icmpv6 type packet-too-big drop")


def test_path_mtu_is_what_the_router_tells(lab: Lab) -> None:
    narrow(lab, silent=False)
    for target, at in ((DST, router(5)), (DST6, "fd77:0:0:4::2")):
        found = lab.trace(target, "--mtu", "--cycles", 2, "--period", "100ms").summary["path_mtu"]
        equal(found, {"mtu": 1400, "narrow": [{"before": at, "mtu": 1400}]}, f"path MTU to {target}")


def test_black_hole_has_a_size_and_a_place(lab: Lab) -> None:
    narrow(lab, silent=True)
    for target in (DST, DST6):
        found = lab.trace(target, "--mtu", "--cycles", 2, "--period", "100ms").summary["path_mtu"]
        equal(found, {"mtu": 1400, "black_hole_after_ttl": 5, "narrow": []}, f"path MTU to {target}")


def test_destination_that_answers_udp_with_data(lab: Lab) -> None:
    lab.up(*PLAIN)
    server = lab.start("python3", "-c", "import socket\ns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\ns.bind(('::', 9999))\n"
                       "print('ready', flush=True)\nwhile True:\n    data, peer = s.recvfrom(2000)\n    s.sendto(b'hello', peer)",
                       place="dst", stdout=subprocess.PIPE)
    try:
        equal(server.stdout.readline().strip(), "ready", "server")
        for target in (DST, DST6):
            traced = lab.trace(target, "--protocol", "udp", "--port", 9999, "--cycles", 5, "--period", "200ms", "--timeout", "500ms")
            check(traced.summary["reached"], f"{target} not reached")
            last = traced.hops[-1]
            equal((last["ttl"], last["address"], last["answered"]), (11, target, 5), "the destination")
            check(36_000 <= last["rtt_min_us"] <= 45_000, f"{last['rtt_min_us']} us, truth 42000")
    finally:
        server.kill()
        server.wait(10)


def test_loop(lab: Lab) -> None:
    lab.up(*PLAIN)
    lab.change("r5", "ip", "route", "replace", "10.77.10.0/30", "via", "10.77.4.1")
    traced = lab.trace(DST, "--cycles", 3, "--period", "100ms", "--timeout", "500ms", "--max-hops", 20)
    equal(traced.code, 1, "exit code")
    way = [hop["address"] for hop in traced.hops]
    equal(len(way), 20, "hops")
    equal(way[:3], [router(1), router(2), router(3)], "the way to it")
    equal(way[3:], [router(4), router(5)] * 8 + [router(4)], "round and round")


def test_way_back_is_another_one(lab: Lab) -> None:
    lab.up(*FULL, "lossy=-1", "limited=0", "silent=0")
    lab.change("r5", "ip", "route", "replace", "10.77.0.0/30", "via", "10.77.104.1")  # 6 ms longer
    lab.forget()
    traced = lab.trace(DST, "--cycles", 10, "--period", "100ms")
    errors = errors_against_truth(lab, traced)
    check(sorted(errors)[len(errors) // 2] <= 300, f"median error {sorted(errors)[len(errors) // 2]:.0f} us")
    there = 6000 if traced.hop(4)["address"] == "10.77.103.2" else 0
    for ttl, ms in ((5, 18), (7, 30), (11, 42)):
        true = ms * 1000 + there + 6000
        check(true <= traced.hop(ttl)["rtt_min_us"] <= true + 1500, f"hop {ttl}: {traced.hop(ttl)['rtt_min_us']:.0f} us, truth {true}")


def test_agents_runs_are_what_the_emulator_logged(lab: Lab) -> None:
    lab.up(*PLAIN, "lossy=7", "loss=5")
    lab.forget()
    samples = lab.measure("path", 12, f"target={DST}", "interval=1000", "cycles=10", "flows=1", "timeout=500", "mtu_discovery=0")
    truth = lab.probes()
    check(len(samples) >= 10, f"{len(samples)} samples in 12 s")
    # The first run looks for the destination beyond it; from the second on it is 11 hops.
    for sample, after in zip(samples[1:], samples[2:]):
        sent = [p for p in truth if sample["at_us"] * 1000 <= p["came"] + 2_000_000 < after["at_us"] * 1000]
        equal(sum(hop["sent"] for hop in sample["hops"]), len(sent), "probes of a run")
        equal(sum(hop["received"] for hop in sample["hops"]), sum(p["answered"] for p in sent), "answers of a run")
        last = sample["hops"][-1]
        equal((sample["sent"], sample["received"], sample["hop_count"]), (10, last["received"], 11), "the destination")
        equal((sample["outcome"], sample["clock"]), ("ok", "kernel"), "outcome")
    check(any(sample["received"] < 10 for sample in samples), "nothing was lost")


def test_agents_interface_goes_away_and_comes_back(lab: Lab) -> None:
    lab.up(*PLAIN)
    process = lab.start_measuring("path", 14, f"target={DST}", "interval=1000", "cycles=5", "flows=1", "timeout=300", "interface=e0")
    time.sleep(4)
    down = time.time()
    lab.change("src", "ip", "link", "set", "e0", "down")
    time.sleep(3)
    lab.change("src", "ip", "link", "set", "e0", "up")
    lab.change("src", "ip", "route", "replace", "default", "via", "10.77.0.2")
    up = time.time()
    samples = lab.measured(process)
    bad = [s for s in samples if s["outcome"] == "bind_error"]
    check(bad, f"no bind_error: {[s['outcome'] for s in samples]}")
    check(bad[0]["at_us"] / 1e6 - down <= 1.1, f"told after {bad[0]['at_us'] / 1e6 - down:.2f} s")
    equal(bad[0]["reason"], "interface e0 is down", "reason")
    again = [s for s in samples if s["outcome"] == "ok" and s["at_us"] / 1e6 > up - 0.5]
    check(again and again[0]["at_us"] / 1e6 - up <= 3, "not measured again within 3 s")
    starts = [s["at_us"] for s in samples[1:]]
    # Each second one, and any of them may begin a little late.
    check(all(after - before < 1_900_000 for before, after in zip(starts, starts[1:])), f"a run without a sample: {starts}")
