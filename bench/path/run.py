#!/usr/bin/env python3
"""The path engine against mtr, traceroute and scamper, one after the other in the network laboratory (needs root, and
these three).

    run.py [--build build/fast] [--reps N] [many|one|branches|limited ...]

Prints one JSON line per figure: {"bench","figure","unit","ours","peer","ratio","bar","ok"}. CPU is user plus system
time of all processes of a program, by wait4 and its children; programs run on processor 0, the emulator on another
where there is one. Delays are held against the lab's configuration.
"""
import argparse
import json
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/lab"))
from laboratory import Lab  # noqa: E402

DST = "10.77.10.2"
CHAIN = ("chain=1", "farm=0", "far=0")
CLEAN = (*CHAIN, "lossy=-1", "limited=0", "silent=0")
# Milliseconds to each hop and back; behind the split each direction may take the branch that is 6 ms longer.
TRUTH = {1: [2], 2: [6], 3: [8], 4: [12, 15, 18], **{ttl: [ms, ms + 6, ms + 12] for ttl, ms in
         ((5, 18), (6, 20), (7, 30), (8, 34), (9, 36), (10, 40), (11, 42))}}


def print_figure(bench: str, figure: str, unit: str, ours: float, peer: float | None, bar: float) -> None:
    """`bar` is for the ratio when there is a peer, else for our own value."""
    value = ours / peer if peer else ours
    print(json.dumps({"bench": bench, "figure": figure, "unit": unit, "ours": round(ours, 4), "peer": round(peer, 4) if peer else None,
                      "ratio": round(value, 3) if peer else None, "bar": bar, "ok": value <= bar}), flush=True)


class Bench:
    def __init__(self, build: pathlib.Path, reps: int):
        self.build, self.reps = build, reps
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="nw-bench-"))
        self.lab = Lab(build)

    def measured(self, *command, out: str = "out") -> tuple[float, float]:
        """CPU and wall seconds of the command, its children included."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with open(self.work / out, "w") as stdout:
            subprocess.run(self.lab.command("src", "taskset", "-c", "0", *command), stdout=stdout, stderr=subprocess.DEVNULL, timeout=200)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - began

    def text(self, out: str = "out") -> str:
        return (self.work / out).read_text()

    def ours(self, *arguments) -> tuple[float, float]:
        return self.measured(self.lab.netwatcher, "trace", "-n", "-o", "json", *arguments)

    def many(self) -> None:
        """50 paths, 10 cycles at 0.1 s."""
        self.lab.up(*CLEAN)
        targets = self.work / "targets"
        targets.write_text("".join(f"10.200.0.{i + 1}\n" for i in range(50)))
        errors, peer_errors, cpu, peer_cpu, rows = [], [], [], [], 0
        for _ in range(self.reps):
            used, _ = self.ours("--list", targets, "-c", 10, "-p", "100ms")
            cpu.append(used)
            traced = json.loads(self.text())["targets"]
            rows = sum(len(target["hops"]) for target in traced)
            errors.append(statistics.median(error(hop["ttl"], hop["rtt_mean_us"] / 1000) for target in traced
                                            for hop in target["hops"] if hop["answered"]))
            script = "while read t; do mtr -4 -n --json -c 10 -i 0.1 $t > %s/mtr.$t & done < %s; wait" % (self.work, targets)
            used, _ = self.measured("bash", "-c", script)
            peer_cpu.append(used)
            hubs = [hub for file in self.work.glob("mtr.*") for hub in json.loads(file.read_text())["report"]["hubs"]]
            peer_errors.append(statistics.median(error(int(hub["count"]), hub["Avg"]) for hub in hubs if hub["host"] != "???"))
        print_figure("many", "error of mean RTT, median over hops", "ms", statistics.median(errors), statistics.median(peer_errors), 0.30)
        print_figure("many", "CPU", "s", statistics.median(cpu), statistics.median(peer_cpu), 0.08)
        print_figure("many", "hops missing of 550", "hops", 550 - rows, None, 0)

    def one(self) -> None:
        self.lab.up(*CHAIN)
        cpu, peer_cpu, wall, peer_wall, first, peer_first = [], [], [], [], [], []
        for _ in range(self.reps):
            used, took = self.ours(DST, "-c", 10, "-p", "100ms", "-t", "500ms")
            cpu.append(used), wall.append(took)
            used, took = self.measured("mtr", "-4", "-n", "--json", "-c", "10", "-i", "0.1", DST)
            peer_cpu.append(used), peer_wall.append(took)
            first.append(self.first_path())
            peer_first.append(self.measured("traceroute", "-4", "-n", "-q", "3", DST)[1])
        print_figure("one", "wall time of 10 cycles at 100 ms, mtr", "s", statistics.median(wall), statistics.median(peer_wall), 0.30)
        print_figure("one", "CPU of that, start of the program included", "s", statistics.median(cpu), statistics.median(peer_cpu), 1)
        print_figure("one", "every answering hop reported, against the end of traceroute -q 3", "s", statistics.median(first), statistics.median(peer_first), 0.5)

    def first_path(self) -> float:
        """Seconds until every hop that answers at all has been reported."""
        began = time.monotonic()
        process = self.lab.start("taskset", "-c", "0", self.lab.netwatcher, "trace", "-n", "-o", "ndjson", DST, "-c", 3, "-p", "200ms",
                                 stdout=subprocess.PIPE)
        seen, took = set(), None
        for line in process.stdout:
            reply = json.loads(line)
            if reply.get("responder") and reply["ttl"] <= 11:
                seen.add(reply["ttl"])
            if took is None and len(seen) == 10:
                took = time.monotonic() - began
        process.wait(30)
        if took is None:
            raise RuntimeError("no complete path")
        return took

    def branches(self) -> None:
        self.lab.up(*CHAIN)
        took, peer_took, probes, peer_probes, links = [], [], [], [], []
        for rep in range(self.reps):
            done = self.lab.trace(DST, "--flows", "mda", "-c", 1, "-P", "udp")
            found = done.summary["branches"]
            links.append(len(found["links"]))
            probes.append(found["probes"])
            took.append((max(p["sent_us"] for p in done.exploring) - min(p["sent_us"] for p in done.exploring)) / 1e6)
            if rep == 0:  # it takes a minute and a half
                peer_took.append(self.measured("scamper", "-p", "1000", "-O", "json", "-c", "tracelb -P udp-sport", "-i", DST)[1])
                for line in self.text().splitlines():
                    if '"tracelb"' in line:
                        peer_probes.append(json.loads(line)["probec"])
        print_figure("branches", "time until all branches are found, scamper tracelb", "s", statistics.median(took), statistics.median(peer_took), 10 / 88)
        print_figure("branches", "probes", "probes", statistics.median(probes), statistics.median(peer_probes), 1.3)
        print_figure("branches", "links missing of 13", "links", 13 - min(links), None, 0)

    def limited(self) -> None:
        """A router that limits to 1/s behind nothing lossy, and 5 % each way on link 7: 300 cycles."""
        self.lab.up(*CHAIN)
        self.lab.forget()
        traced = self.lab.trace(DST, "-c", 300, "-p", "100ms")
        last = traced.hops[-1]
        # The emulator's log of the same probes, in the same order.
        log = [true["answered"] for reply, true in zip(traced.replies, self.lab.probes()) if reply["ttl"] == last["ttl"]]
        truth = 1 - sum(log) / len(log)
        print_figure("limited", "alarms at the limited router", "alarms", float(traced.hop(6)["verdict"] != "rate_limited"), None, 0)
        print_figure("limited", "|limit - 1/s|", "1/s", abs(traced.hop(6)["limit_per_second"] - 1), None, 0.1)
        print_figure("limited", "|end-to-end loss - truth|", "ratio", abs(last["forwarding_loss_ratio"] - truth), None, 0.01)


def error(ttl: int, ms: float) -> float:
    return min(abs(ms - true) for true in TRUTH[ttl])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/fast")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    missing = [peer for peer in ("mtr", "traceroute", "scamper") if not shutil.which(peer, path="/usr/bin:/usr/sbin:/bin:/sbin")]
    if missing:
        print("needs root and " + ", ".join(missing), file=sys.stderr)
        return 3
    bench = Bench(options.build.resolve(), options.reps)
    try:
        for name in options.parts or ("many", "one", "branches", "limited"):
            getattr(bench, name)()
    finally:
        bench.lab.down()
        shutil.rmtree(bench.work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
