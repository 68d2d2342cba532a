#!/usr/bin/env python3
"""The ping engine against fping, interleaved in one run, in the network laboratory (needs root, and fping).

    run.py [--build build/fast] [--reps N] [cpu|low|unpaced|accuracy|memory|binary ...]

Prints one JSON line per figure: {"bench","figure","unit","ours","peer","ratio","bar","ok"}. CPU is user plus system
time of the whole process, by wait4; both programs run on processor 0, the emulator on another where there is one.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/lab"))
from laboratory import Lab  # noqa: E402


def measured(command: list[str], out: pathlib.Path) -> dict:
    """Runs the command; CPU seconds, peak memory and wall time."""
    with open(out, "w") as stdout, open(f"{out}.err", "w") as stderr:
        before = os.times().elapsed
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        _, _, usage = os.wait4(process.pid, 0)
    return {"cpu": usage.ru_utime + usage.ru_stime, "rss_kb": usage.ru_maxrss, "wall": os.times().elapsed - before}


def print_figure(bench: str, figure: str, unit: str, ours: float, peer: float | None, bar: float, *, least: bool = False) -> None:
    """`bar` is for the ratio when there is a peer, else for our own value; `least`: more is better."""
    value = ours / peer if peer else ours
    line = {"bench": bench, "figure": figure, "unit": unit, "ours": round(ours, 3), "peer": round(peer, 3) if peer else None,
            "ratio": round(value, 3) if peer else None, "bar": bar, "ok": value >= bar if least else value <= bar}
    print(json.dumps(line), flush=True)


class Bench:
    def __init__(self, build: pathlib.Path, reps: int):
        self.build, self.reps = build, reps
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="nw-bench-"))
        self.netwatcher = build / "apps/netwatcher/netwatcher"

    def targets(self, net: int, count: int) -> pathlib.Path:
        file = self.work / f"targets-{net}-{count}"
        file.write_text("".join(f"10.{net}.{(i + 1) >> 8}.{(i + 1) & 255}\n" for i in range(count)))
        return file

    def ours(self, lab: Lab, targets: pathlib.Path, *arguments) -> dict:
        out = self.work / "ours"
        return measured(lab.command("src", "taskset", "-c", "0", self.netwatcher, "ping", "--list", targets, *arguments), out) | {"out": out}

    def fping(self, lab: Lab, targets: pathlib.Path, *arguments) -> dict:
        out = self.work / "fping"
        return measured(lab.command("src", "taskset", "-c", "0", "fping", "-q", *arguments, "-f", targets), out) | {"out": out}

    def received(self, run: dict) -> int:
        return sum(json.loads(line)["received"] for line in run["out"].read_text().splitlines())

    def fping_received(self, run: dict) -> int:
        text = pathlib.Path(f"{run['out']}.err").read_text()
        return sum(int(n) for n in re.findall(r"xmt/rcv/%loss = \d+/(\d+)/", text))

    # -- figures ----------------------------------------------------------------------------------------------

    def paced(self, name: str, count: int, rounds: int, bar: float) -> None:
        lab = self.lab("far=0")
        targets = self.targets(201, count)
        ours, peer, walls, peer_walls, lost = [], [], [], [], 0
        for _ in range(self.reps):
            run = self.fping(lab, targets, "-i", f"{900 / count:.3f}", "-p", "1000", "-c", rounds)
            peer.append(run["cpu"] / count / rounds * 1e6)
            peer_walls.append(run["wall"])
            run = self.ours(lab, targets, "-c", rounds, "-p", "1s", "-q", "-o", "ndjson")
            ours.append(run["cpu"] / count / rounds * 1e6)
            walls.append(run["wall"])
            lost += count * rounds - self.received(run)
        ratio = statistics.median(o / p for o, p in zip(ours, peer))
        ours_median = statistics.median(ours)
        print_figure(name, f"CPU per ping, {count} targets x 1/s", "us", ours_median, ours_median / ratio, bar)
        print_figure(name, f"wall time of {rounds} rounds of 1 s", "s", statistics.median(walls), None, rounds + 1)
        print_figure(name, f"lost of {count * rounds * self.reps} by ourselves", "packets", lost, None, 0)
        print(json.dumps({"bench": name, "figure": "fping's wall time", "unit": "s", "ours": None, "peer": round(statistics.median(peer_walls), 2)}))
        lab.down()

    def unpaced(self) -> None:
        lab = self.lab("far=0")
        targets = self.targets(201, 10000)
        ours, peer = [], []
        for _ in range(self.reps):
            run = self.fping(lab, targets, "-i", "0", "-p", "20", "-c", "5")
            peer.append(self.fping_received(run) / run["cpu"])
            run = self.ours(lab, targets, "--max", "-c", "5", "-q", "-o", "ndjson")
            ours.append(self.received(run) / run["cpu"])
        ratio = statistics.median(o / p for o, p in zip(ours, peer))
        print_figure("unpaced", "answered pings per CPU second", "1/s", statistics.median(ours), statistics.median(ours) / ratio, 1.5, least=True)
        lab.down()

    def accuracy(self, count: int, quantile: float, bar: float) -> None:
        ours, peer, medians = [], [], []
        targets = self.targets(202, count)
        for _ in range(self.reps):
            for who in ("fping", "ours"):
                lab = self.lab("farm=0", "farlink=jitter=2", log=True)
                if who == "fping":
                    run = self.fping(lab, targets, "-i", f"{900 / count:.3f}", "-p", "1000", "-C", "4")
                else:
                    run = self.ours(lab, targets, "-c", "4", "-p", "1s", "-o", "ndjson")
                truth = truth_by_target(lab)
                values = fping_values(pathlib.Path(f"{run['out']}.err")) if who == "fping" else our_values(run["out"])
                errors = sorted(abs(us - truth[t][k]) for t, k, us in values if t in truth and k < len(truth[t]))
                (peer if who == "fping" else ours).append(errors[int(quantile * len(errors))])
                if who == "ours":
                    medians.append(errors[len(errors) // 2])
                lab.down()
        ratio = statistics.median(o / p for o, p in zip(ours, peer))
        ours_median = statistics.median(ours)
        name = f"accuracy-{count}"
        print_figure(name, f"|RTT - emulator's log| p{quantile * 100:.0f}, {count} targets", "us", ours_median, ours_median / ratio, bar)
        print_figure(name, f"|RTT - emulator's log| median, {count} targets", "us", statistics.median(medians), None, 25 if count == 1000 else 1000)

    def memory(self) -> None:
        lab = self.lab("far=0")
        few, many = (statistics.median(self.peak_kb(lab, n) for _ in range(self.reps)) for n in (100, 10000))
        print_figure("memory", "per target, 100 to 10000 targets, histograms and summaries included", "kB", (many - few) / 9900, None, 1.5)
        lab.down()

    def peak_kb(self, lab: Lab, count: int) -> int:
        """wait4's peak is that of this script before it became the program: ask for the program's own while it runs."""
        command = lab.command("src", self.netwatcher, "ping", "--list", self.targets(201, count), "-c", "5", "-q", "-o", "ndjson")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            found = re.search(r"Name:\tnetwatcher\n(?:.*\n)*VmHWM:\s+(\d+)", status_of(process.pid))
            peak = max(peak, int(found[1]) if found else 0)
            time.sleep(0.05)
        return peak

    def binary(self) -> None:
        copy = self.work / "agent"
        shutil.copy(self.build / "apps/agent/netwatcher-agent", copy)
        subprocess.run(["strip", copy], check=True)
        print_figure("binary", "netwatcher-agent, stripped", "MB", copy.stat().st_size / 1e6, None, 12)

    def lab(self, *parts: str, log: bool = False) -> Lab:
        lab = Lab(self.build)
        lab.script("up", "chain=0", "fardelay=10", *parts, *([f"emulog={lab.log}"] if log else []))
        return lab


def status_of(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""


def truth_by_target(lab: Lab) -> dict[str, list[float]]:
    """Of the k-th echo request to each target: the microseconds that request and reply spent in the emulator."""
    requests, replies = lab.deliveries()
    by_key: dict[tuple, list] = {}
    for reply in replies:
        by_key.setdefault((reply["id"], reply["seq"]), []).append(reply)
    keyed: dict[tuple, list] = {}
    for request in requests:
        keyed.setdefault((request["id"], request["seq"]), []).append(request)
    truth: dict[str, list] = {}
    for key, sent in keyed.items():
        answers = sorted(by_key.get(key, []), key=lambda r: r["came"])
        if len(answers) != len(sent):
            continue
        for request, reply in zip(sorted(sent, key=lambda r: r["came"]), answers):
            trip = (request["left"] - request["came"] + reply["left"] - reply["came"]) / 1000
            truth.setdefault(request["to"], []).append((request["came"], trip))
    return {target: [trip for _, trip in sorted(trips)] for target, trips in truth.items()}


def our_values(file: pathlib.Path):
    for line in file.read_text().splitlines():
        packet = json.loads(line)
        if packet["type"] == "packet" and packet["outcome"] == "ok":
            yield packet["target"], packet["seq"], packet["rtt_us"]


def fping_values(file: pathlib.Path):
    for line in file.read_text().splitlines():
        found = re.match(r"(\S+)\s*: (.*)", line)
        for k, value in enumerate(found[2].split() if found else []):
            if value != "-":
                yield found[1], k, float(value) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/fast")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("fping"):
        print("needs root and fping", file=sys.stderr)
        return 3
    bench = Bench(options.build.resolve(), options.reps)
    parts = {"cpu": lambda: bench.paced("cpu", 10000, 3, 0.40), "low": lambda: bench.paced("low", 100, 4, 0.65),
             "unpaced": bench.unpaced, "accuracy": lambda: (bench.accuracy(1000, 0.9, 0.70), bench.accuracy(5000, 0.99, 0.40)),
             "memory": bench.memory, "binary": bench.binary}
    for name in options.parts or parts:
        parts[name]()
    shutil.rmtree(bench.work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
