#!/usr/bin/env python3
"""Tests of the engines in real network namespaces, against the link emulator's packet log: ping here, path in
path_tests.py and path_shape_tests.py, agents with two uplinks in uplink_tests.py.

    run.py --build build/fast [FILTER]

One line per test: "ok NAME", "not ok NAME why" or "skip NAME why"; at the end "N passed, N failed, N skipped".
"""
import argparse
import os
import pathlib
import re
import signal
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import path_shape_tests  # noqa: E402
import path_tests  # noqa: E402
import uplink_tests  # noqa: E402
from laboratory import HERE, NOT_ROOT, Lab, check, equal, quantile, run_one  # noqa: E402

FAR, FARM = "10.202.0.1", "10.201.0.1"


def errors_against_truth(lab: Lab, pinged) -> list[float]:
    """Of one target: k-th answered request against the k-th in the emulator's log."""
    trips = lab.round_trips()
    measured = [p["rtt_us"] for p in sorted(pinged.packets, key=lambda p: p["sent_us"]) if p["outcome"] == "ok"]
    equal(len(measured), len(trips), "answers")
    return [abs(m - t) for m, t in zip(measured, trips)]


def test_delay_is_that_of_the_emulators_log(lab: Lab) -> None:
    lab.link("delay=10 jitter=2")
    pinged = lab.ping(FAR, "--count", 300, "--period", "10ms")
    errors = errors_against_truth(lab, pinged)
    check(quantile(errors, 0.5) <= 100, f"median error {quantile(errors, 0.5):.0f} us")
    check(quantile(errors, 0.9) <= 500, f"p90 error {quantile(errors, 0.9):.0f} us")
    check(all(p["clock"] == "kernel" for p in pinged.packets), "a packet without the kernel's stamps")


def test_delay_over_ipv6(lab: Lab) -> None:
    lab.link("delay=7 jitter=1")
    pinged = lab.ping("fd77:202::1", "--count", 200, "--period", "10ms")
    errors = errors_against_truth(lab, pinged)
    check(quantile(errors, 0.5) <= 100, f"median error {quantile(errors, 0.5):.0f} us")
    check(pinged.packets[0]["address"] == "fd77:202::1", "the address")


def test_jitter(lab: Lab) -> None:
    lab.link("delay=15 jitter=6 order=1")
    pinged = lab.ping(FAR, "--count", 300, "--period", "20ms", "-q")
    trips = lab.round_trips()
    truth = statistics.mean(abs(b - a) for a, b in zip(trips, trips[1:]))
    check(abs(pinged.summary["ipdv_mean_us"] - truth) <= 0.05 * truth + 50, f"{pinged.summary['ipdv_mean_us']} us, truth {truth:.0f}")


def test_loss_is_exactly_what_the_link_lost(lab: Lab) -> None:
    lab.link("delay=5 loss=10")
    pinged = lab.ping(FAR, "--count", 400, "--period", "10ms", "--timeout", "300ms")
    requests, replies = lab.deliveries()
    equal(pinged.summary["sent"], 400, "sent")
    equal(pinged.summary["received"], len({r["seq"] for r in replies}), "received")
    check(0 < len(replies) < 400, "the link lost nothing, or all")
    equal(pinged.outcomes().count("lost"), pinged.summary["lost"], "packets reported lost")
    for count in ("late", "duplicates", "reordered", "corrupted"):
        equal(pinged.summary[count], 0, count)


def test_duplicates(lab: Lab) -> None:
    lab.link("delay=5 dup=20")
    pinged = lab.ping(FAR, "--count", 300, "--period", "10ms", "--timeout", "300ms")
    _, replies = lab.deliveries()
    # The last copies may come after the program has ended.
    extra = len(replies) - len({r["seq"] for r in replies})
    check(extra - 3 <= pinged.summary["duplicates"] <= extra, f"{pinged.summary['duplicates']}, truth {extra}")
    equal(pinged.summary["received"], 300, "received")


def test_reordering(lab: Lab) -> None:
    lab.link("ab.delay=5 ba.delay=35 ba.reorder=15")
    pinged = lab.ping(FAR, "--count", 300, "--period", "10ms")
    _, replies = lab.deliveries()
    truth, highest = 0, -1
    first = replies[0]["seq"] - min(r["seq"] for r in replies)
    check(first >= 0, "sequence")
    for reply in replies:
        truth += reply["seq"] < highest
        highest = max(highest, reply["seq"])
    equal(pinged.summary["reordered"], truth, "reordered")
    check(truth > 10, f"the link reordered only {truth}")


def test_corruption(lab: Lab) -> None:
    before = lab.stats()["far.ba"]["corrupted"]
    lab.link("delay=3 ba.corrupt=20")
    pinged = lab.ping(FAR, "--count", 300, "--period", "10ms", "--timeout", "200ms")
    truth = lab.stats()["far.ba"]["corrupted"] - before
    check(truth > 20, f"the link corrupted only {truth}")
    # The emulator also counts what it did to a stray neighbour discovery.
    check(truth - 2 <= pinged.summary["corrupted"] <= truth, f"corrupted: {pinged.summary['corrupted']}, truth {truth}")
    equal(pinged.summary["received"], 300 - pinged.summary["corrupted"], "received")


def test_late_replies_are_late_and_lost(lab: Lab) -> None:
    lab.link("delay=125")
    pinged = lab.ping(FAR, "--count", 20, "--period", "100ms", "--timeout", "150ms")
    equal(pinged.summary["received"], 0, "received")
    equal(pinged.outcomes(), ["lost"] * 20, "outcomes")
    check(pinged.summary["late"] >= 18, f"late {pinged.summary['late']} of 20")  # the last ones come after the end


def test_unreachable_names_type_code_and_router(lab: Lab) -> None:
    lab.link("delay=2")
    for place, family, prefix, wanted in (("far", "-4", "10.202.99.0/24", "icmp 3/1 host unreachable from 10.77.202.2"),
                                          ("far", "-6", "fd77:202:0:9::/64", "icmp 1/0 no route to destination from fd77:0:0:202::2")):
        lab.run("ip", family, "route", "replace", "unreachable", prefix, "table", "local", place=place)
        lab.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", place=place)
        if family == "-6":
            lab.run("ip", "-6", "route", "replace", "fd77:202:0:9::/64", "via", "fd77:0:0:202::2")
        target = prefix.replace(".0/24", ".7").replace("::/64", "::7")
        pinged = lab.ping(target, "--count", 3, "--period", "50ms")
        equal(pinged.outcomes(), ["unreachable"] * 3, f"outcomes of {target}")
        equal(pinged.packets[0]["reason"], wanted, "reason")
        equal(pinged.code, 1, "exit code")


def test_time_to_live_runs_out(lab: Lab) -> None:
    lab.run("sysctl", "-qw", "net.ipv4.ip_forward=1", place="far")
    pinged = lab.ping("10.201.7.7", "--count", 2, "--period", "50ms", "--ttl", 1)
    equal(pinged.outcomes(), ["ok"] * 2, "one hop away a TTL of 1 is enough")
    lab.run("ip", "route", "replace", "10.250.0.0/16", "via", "10.77.202.2")
    lab.run("ip", "route", "replace", "10.250.0.0/16", "via", "10.77.202.1", place="far")
    pinged = lab.ping("10.250.0.1", "--count", 2, "--period", "50ms", "--ttl", 1)
    equal(pinged.packets[0]["reason"], "icmp 11/0 time to live exceeded from 10.77.202.2", "reason")


UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


def test_without_privileges(lab: Lab) -> None:
    lab.link("delay=10 jitter=2")
    binary = lab.dir / "netwatcher"
    binary.write_bytes(lab.netwatcher.read_bytes())
    binary.chmod(0o755)
    lab.dir.chmod(0o755)
    raw, lab.netwatcher = lab.netwatcher, binary
    try:
        pinged = lab.ping(FAR, "--count", 100, "--period", "10ms", command=UNPRIVILEGED)
        errors = errors_against_truth(lab, pinged)
        check(quantile(errors, 0.5) <= 100, f"median error {quantile(errors, 0.5):.0f} us")
        equal(pinged.packets[0]["ttl"], 64, "TTL of the reply")
        prohibit(lab, "10.202.98.0/24")
        refused = lab.ping("10.202.98.7", FAR, "--count", 5, "--period", "50ms", command=UNPRIVILEGED)
        equal([p["outcome"] for p in refused.packets if p["target"] != FAR], ["unreachable"] * 5, "outcomes by the error queue")
        equal(refused.summaries[0]["reason"], "icmp 3/13 communication prohibited from 10.202.98.7", "reason")
        equal(refused.summaries[1]["received"], 5, "answers beside the errors")
        equal(lab.ping("fd77:202::3", "--count", 5, "--period", "20ms", command=UNPRIVILEGED).outcomes(), ["ok"] * 5, "IPv6")
        lab.run("sysctl", "-qw", "net.ipv4.ping_group_range=1 0")
        pinged = lab.ping(FAR, "--count", 1, command=UNPRIVILEGED)
        equal((pinged.outcomes(), pinged.code), (["permission_error"], 3), "neither kind of socket allowed")
    finally:
        lab.netwatcher = raw
        lab.run("sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")


def prohibit(lab: Lab, prefix: str) -> None:
    """An answer by the firewall: a kernel limits the errors of its routes to a few per second, but not these."""
    rules = lab.dir / "prohibit.nft"
    rules.write_text("table ip prohibit {\n chain in {\n  type filter hook input priority 0;\n"
                     f"  ip daddr {prefix} reject with icmp type admin-prohibited\n }}\n}}\n")
    done = lab.run("nft", "-f", rules, place="far")
    check(done.returncode == 0, f"nft: {done.stderr}")


def test_bound_to_a_device_nothing_leaves_elsewhere(lab: Lab) -> None:
    with lab.capture() as seen:
        lab.ping(FAR, "--count", 5, "--period", "20ms", "--timeout", "200ms", "--interface", "efarm")
        pinged = lab.ping(FAR, "fd77:202::1", "--count", 5, "--period", "20ms", "--interface", "efar")
    equal({r["outcome"] for r in pinged.packets}, {"ok"}, "through the right device")
    by_device = {name: [p for p in seen.requests() if p["if"] == name] for name in ("efarm", "efar")}
    equal(len(by_device["efar"]), 10, "requests on efar")
    equal(len(seen.requests()), len(by_device["efarm"]) + 10, "requests on other devices")


def test_device_down_is_bind_error_and_never_another_uplink(lab: Lab) -> None:
    lab.link("delay=1")
    with lab.capture() as seen:
        process = lab.start(lab.netwatcher, "ping", FARM, "-I", "efarm", "-c", "20", "-p", "200ms", "-t", "150ms", "-o", "ndjson", stdout=-1)
        time.sleep(1.1)
        lab.run("ip", "link", "set", "efarm", "down")
        lab.run("ip", "route", "replace", "10.201.0.0/16", "via", "10.77.202.2")  # the kernel would gladly use this one
        time.sleep(1.2)
        lab.run("ip", "link", "set", "efarm", "up")
        lab.run("ip", "route", "replace", "10.201.0.0/16", "via", "10.77.201.2")
        out, _ = process.communicate(timeout=30)
    outcomes = re.findall(r'"type":"packet".*?"outcome":"(\w+)"', out)
    equal(outcomes[:4], ["ok"] * 4, "before")
    check(outcomes.count("bind_error") >= 4, f"while down: {outcomes}")
    equal(outcomes[-4:], ["ok"] * 4, "after")
    check('"reason":"interface efarm is down"' in out, "the reason")
    equal([p for p in seen.requests() if p["if"] != "efarm"], [], "requests on other devices")
    restore_farm(lab)


def restore_farm(lab: Lab) -> None:
    """A device that goes down loses its neighbours and everything of IPv6."""
    mac = mac_of(lab, "farm", "efarm")
    lab.run("ip", "neigh", "replace", "10.77.201.2", "lladdr", mac, "dev", "efarm")
    lab.run("ip", "addr", "replace", "fd77:0:0:201::1/64", "dev", "efarm", "nodad")
    lab.run("ip", "neigh", "replace", "fd77:0:0:201::2", "lladdr", mac, "dev", "efarm")
    lab.run("ip", "-6", "route", "replace", "fd77:201::/64", "via", "fd77:0:0:201::2")


def mac_of(lab: Lab, place: str, device: str) -> str:
    return lab.run("cat", f"/sys/class/net/{device}/address", place=place).stdout.strip()


def test_device_that_does_not_exist(lab: Lab) -> None:
    pinged = lab.ping(FAR, "--count", 2, "--period", "50ms", "-I", "wwan9")
    equal(pinged.outcomes(), ["bind_error"] * 2, "outcomes")
    equal(pinged.packets[0]["reason"], "interface wwan9 does not exist", "reason")
    equal(pinged.code, 3, "exit code")


def test_names_are_asked_through_the_device(lab: Lab) -> None:
    lab.link("delay=1")
    lab.run("ip", "addr", "add", "10.202.53.53/32", "dev", "lo", place="far")
    server = lab.start("python3", HERE / "nameserver.py", "10.202.53.53", 1, "10.202.0.5", place="far", stdout=-1)
    try:
        server.stdout.readline()
        etc = pathlib.Path(f"/etc/netns/{lab.prefix}-src")
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "resolv.conf").write_text("nameserver 10.202.53.53\n")
        with lab.capture() as seen:
            pinged = lab.ping("host.example", "--count", 25, "--period", "100ms", "-I", "efar")
            missing = lab.ping("nowhere.example", "--count", 1, "-I", "efar")
        equal({p.get("address") for p in pinged.packets}, {"10.202.0.5"}, "address")
        equal(set(pinged.outcomes()), {"ok"}, "outcomes")
        questions = [p for p in seen.packets if p.get("port") == 53]
        equal({p["if"] for p in questions}, {"efar"}, "devices of the questions")
        check(len(questions) >= 4, f"asked {len(questions)} times in 2.5 s with a time to live of 1 s")
        equal((missing.outcomes(), missing.packets[0]["reason"]),
              (["dns_error"], "cannot resolve nowhere.example: the name does not exist"), "a name that does not exist")
        with lab.capture() as seen:
            elsewhere = lab.ping("host.example", "--count", 1, "-I", "efarm", timeout=30)
        equal(elsewhere.outcomes(), ["dns_error"], "through a device that does not lead to the name server")
        equal([p for p in seen.packets if p["if"] != "efarm" and p.get("port") == 53], [], "questions on other devices")
    finally:
        server.kill()
        server.wait()


def test_packets_look_as_asked(lab: Lab) -> None:
    with lab.capture() as seen:
        lab.ping(FARM, "-c", 1, "--dscp", 46, "--ttl", 33, "--size", 200, "--dont-fragment")
        lab.ping("fd77:201::1", "-c", 1, "--dscp", 10, "--ttl", 12, "--size", 300)
        lab.ping(FARM, "-c", 1)
    first, second, third = seen.requests()
    equal((first["tos"], first["ttl"], first["length"], first["df"]), (46 << 2, 33, 228, True), "IPv4")
    equal((second["tos"], second["ttl"], second["length"]), (10 << 2, 12, 348), "IPv6")
    equal((third["tos"], third["ttl"], third["length"], third["df"]), (0, 64, 84, False), "defaults")


def test_large_packets(lab: Lab) -> None:
    equal(lab.ping(FARM, "fd77:201::1", "-c", 3, "-p", "50ms", "--size", 20000).code, 0, "fragments")
    pinged = lab.ping(FARM, "-c", 2, "-p", "50ms", "--size", 5000, "--dont-fragment")
    equal(pinged.outcomes(), ["unreachable"] * 2, "too large to be sent whole")


def test_cadence_does_not_drift(lab: Lab) -> None:
    with lab.capture() as seen:
        lab.ping(FARM, "-c", 50, "-p", "100ms")
    sent = [p["at"] for p in seen.requests()][1:]  # the first goes out at once, the others on the beat
    beats = [(at - sent[0]) * 1000 - 100 * i for i, at in enumerate(sent)]
    # A machine with other work wakes late, never early, and more often than not when there is much of it; it must not add up.
    first, last = min(beats[:15]), min(beats[-15:])
    check(abs(last - first) < 5, f"drift over 5 s: {last - first:.2f} ms")
    check(quantile([b - min(beats) for b in beats], 0.25) < 5, f"beside the beat: {beats}")


def test_three_thousand_targets_lose_nothing(lab: Lab) -> None:
    targets = lab.dir / "targets"
    targets.write_text("".join(f"10.201.{i // 250}.{i % 250 + 1}\n" for i in range(3000)))
    pinged = lab.ping("--list", targets, "-c", 3, "-q")
    equal(len(pinged.summaries), 3000, "summaries")
    equal(sum(s["received"] for s in pinged.summaries), 9000, "received")
    equal(sum(s["duplicates"] for s in pinged.summaries), 0, "duplicates")


def test_interrupted_prints_what_it_has(lab: Lab) -> None:
    process = lab.start(lab.netwatcher, "ping", FARM, "-p", "100ms", "-o", "ndjson", stdout=-1)
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    check('"type":"summary"' in out, "no summary")
    equal(process.returncode, 0, "exit code")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build/fast")
    parser.add_argument("filter", nargs="?", default="")
    options = parser.parse_args()
    tests = chosen(globals(), options.filter)
    own = [test for module in (path_tests, path_shape_tests, uplink_tests) for test in chosen(vars(module), options.filter)]
    if os.geteuid() != 0:
        for test in tests + own:
            print("skip", test.__name__.removeprefix("test_"), NOT_ROOT)
        print(f"0 passed, 0 failed, {len(tests + own)} skipped")
        return 0
    lab = Lab(options.build.resolve())
    passed = 0
    try:
        if tests:
            lab.up()
        for test in tests:
            passed += run_one(lab, test)
        for test in own:  # each builds the network that it needs
            passed += run_one(lab, test)
    finally:
        lab.down()
    total = len(tests + own)
    print(f"{passed} passed, {total - passed} failed, 0 skipped")
    return 0 if passed == total else 1


def chosen(names: dict, wanted: str) -> list:
    return [test for name, test in names.items() if name.startswith("test_") and wanted in name]


if __name__ == "__main__":
    sys.exit(main())
