#!/usr/bin/env python3
"""Kills agent and controller at random moments, cuts their link, fills their disks, and accounts for every sample.

    run.py --build build/fast [--rounds N] [--seed N] [--long] [FILTER]

The agent numbers samples densely. Its spool never overflows here, so each number must end up stored exactly once.
Prints `ok NAME`, `not ok NAME why` or `skip NAME why`, and ends with `N passed, N failed, N skipped`.
"""

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import full_disk
from accounts import account, settle, verdict
from installation import Installation, may_ping, may_trace, wait_for

PROBES = 40
ROUNDS = {"short": 14, "long": 100}


def ping(target: str) -> tuple[str, dict]:
    return "ping", {"target": target, "interval": 1000, "packets": 1, "timeout": 500}


def disturb(installation: Installation, chance: random.Random) -> str:
    """One disturbance, and its repair. Which moment it hits is random; the sequence of kinds follows the seed."""
    time.sleep(chance.uniform(0.1, 1.6))
    what = chance.choice(["agent", "controller", "both", "link", "controller while cut off"])
    if what in ("agent", "both"):
        installation.kill("agent")
    if what == "link" or "cut off" in what:
        installation.link.cut()
        time.sleep(chance.uniform(0.1, 0.8))
    if "controller" in what or what == "both":
        installation.kill("controller")
        installation.start("controller")
    if what in ("agent", "both"):
        installation.start("agent")
    installation.link.mend()
    return what


def endure(build: Path, scratch: Path, rounds: int, seed: int) -> tuple[dict, Counter]:
    installation = Installation(build, scratch)
    chance = random.Random(seed)
    done: Counter = Counter()
    try:
        # Every fourth is a path: results with rows of their own.
        paths = range(0, PROBES, 4) if may_trace() else range(0)
        wanted = [("path", {"target": f"127.0.1.{n + 1}", "interval": 1000, "cycles": 1, "flows": "1", "timeout": 200}) if n in paths
                  else ping(f"127.0.1.{n + 1}") for n in range(PROBES)]
        probes = installation.create(wanted)
        installation.start("agent")
        wait_for("the first samples", lambda: installation.spool().get("acked", 0) > 0)
        stream = installation.spool()["stream"]
        for _ in range(rounds):
            done[disturb(installation, chance)] += 1
        settle(installation, probes, stream)
        return account(installation, probes, [probes[n] for n in paths]), done
    finally:
        installation.close()


def attempt(name: str, trial) -> bool:
    """Runs one trial in a directory of its own and prints what came of it; `trial` gives its figures and what is wrong."""
    with tempfile.TemporaryDirectory(prefix="nw-durability-") as scratch:
        try:
            figures, problem = trial(Path(scratch))
            print(json.dumps(figures))
        except (AssertionError, OSError, subprocess.SubprocessError, sqlite3.Error) as error:
            problem = str(error) or repr(error)
        if problem:
            for log in sorted(Path(scratch).glob("*.log")):
                print(f"---- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-40:]))
    print(f"not ok {name} {problem}" if problem else f"ok {name}", flush=True)
    return not problem


def back_up(build: Path, scratch: Path) -> tuple[dict, str]:
    """Backs up beside measurements, loses the original, and serves the copy to the same agent."""
    installation = Installation(build, scratch)
    try:
        probes = installation.create([ping(f"127.0.3.{n + 1}") for n in range(PROBES)])
        installation.start("agent")
        wait_for("the first samples", lambda: installation.spool().get("acked", 0) >= 2 * PROBES)
        acknowledged = installation.spool()["acked"]
        installation.admin_command("backup", scratch / "backup")
        wait_for("more samples", lambda: installation.spool()["acked"] >= acknowledged + 2 * PROBES)
        installation.kill("controller")
        shutil.rmtree(installation.data)
        installation.admin_command("restore", scratch / "backup")
        installation.start("controller")
        settle(installation, probes, installation.spool()["stream"])
        found = account(installation, probes) | {"acknowledged before": acknowledged}
        # What came between the backup and the loss is gone from both sides, and must be said to be.
        if found["stored"] < acknowledged or found["stored twice"]:
            return found, f"{found['stored']} of {acknowledged} acknowledged samples, {found['stored twice']} of them twice"
        missing = found["numbered"] - found["stored"] - found["declared lost"]
        return found, f"{missing} samples are neither stored nor declared lost" if missing else ""
    finally:
        installation.close()


def kills(build: Path, rounds: int, seed: int):
    def trial(scratch: Path) -> tuple[dict, str]:
        found, done = endure(build, scratch, rounds, seed)
        return {"seed": seed, **found, "disturbances": dict(done)}, verdict(found, PROBES)
    return trial


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", type=Path, required=True)
    arguments.add_argument("--rounds", type=int, default=0)
    arguments.add_argument("--seed", type=int, default=20)
    arguments.add_argument("--long", action="store_true")
    arguments.add_argument("filter", nargs="?", default="", help="only what has this in its name")
    args = arguments.parse_args()
    rounds = args.rounds or ROUNDS["long" if args.long else "short"]
    no_ping = "" if may_ping() else "may not open ICMP sockets (needs root or net.ipv4.ping_group_range)"
    trials = [("kill -9 of agent and controller, and link cuts: every sample once", kills(args.build, rounds, args.seed), no_ping),
              ("a backup beside measurements has what was acknowledged before, and what came after is declared lost",
               lambda scratch: back_up(args.build, scratch), no_ping),
              ("full disks of controller and agent: every sample once, and both recover by themselves",
               lambda scratch: full_disk.trial(args.build, scratch), no_ping or full_disk.why_not())]
    passed = failed = skipped = 0
    for name, trial, why_not in trials:
        if args.filter not in name:
            continue
        if why_not:
            skipped += 1
            print(f"skip {name}: {why_not}")
        elif attempt(name, trial):
            passed += 1
        else:
            failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
