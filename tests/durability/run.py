#!/usr/bin/env python3
"""Kills agent and controller at random moments, cuts their link, and accounts for every sample.

    run.py --build build/fast [--rounds N] [--seed N] [--long]

The agent numbers samples densely. Its spool never overflows here, so each number must end up stored exactly once.
Prints `ok NAME`, `not ok NAME why` or `skip NAME why`, and ends with `N passed, N failed, N skipped`.
"""

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from installation import WORKSPACE, Installation, may_ping, wait_for

PROBES = 40
ROUNDS = {"short": 14, "long": 100}


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


def everything_delivered(installation: Installation) -> bool:
    spool = installation.spool()
    return spool["next_seq"] > 1 and spool["acked"] == spool["next_seq"] - 1


def in_step(installation: Installation) -> bool:
    agents = installation.api.get(f"/api/v1/workspaces/{WORKSPACE}/agents?limit=10")["items"]
    return all(agent["applied_state_number"] == agent["state_number"] for agent in agents)


def stop_cleanly(installation: Installation) -> None:
    code = installation.stop("agent")
    assert code == 0, f"the agent did not stop cleanly: it ended with code {code}"


def account(installation: Installation, probes: list[str]) -> dict:
    times = {probe: installation.api.sample_times(probe) for probe in probes}
    stored = sum(len(t) for t in times.values())
    twice = sum(n - 1 for t in times.values() for n in Counter(t).values())
    return {"numbered": installation.spool()["next_seq"] - 1, "stored": stored, "stored twice": twice,
            "declared lost": installation.api.metric("netwatcher_store_lost_declared"), "silent probes": sum(1 for t in times.values() if not t)}


def endure(build: Path, scratch: Path, rounds: int, seed: int) -> tuple[dict, Counter]:
    installation = Installation(build, scratch)
    chance = random.Random(seed)
    done: Counter = Counter()
    try:
        settings = [{"target": f"127.0.1.{n + 1}", "interval": 1000, "packets": 1, "timeout": 500} for n in range(PROBES)]
        probes = installation.create(settings)
        installation.start("agent")
        wait_for("the first samples", lambda: installation.spool().get("acked", 0) > 0)
        stream = installation.spool()["stream"]
        for _ in range(rounds):
            done[disturb(installation, chance)] += 1
        for probe in probes:
            installation.api.disable(probe)
        wait_for("the agent to stop measuring", lambda: in_step(installation))
        # Stopping puts into the spool what was measured last; the next start, with nothing to measure, delivers it.
        stop_cleanly(installation)
        installation.start("agent")
        wait_for("the agent to connect", installation.connected)
        wait_for("everything to be delivered", lambda: everything_delivered(installation), 60)
        stop_cleanly(installation)
        assert everything_delivered(installation), "the agent measured although its probes are disabled"
        assert installation.spool()["stream"] == stream, "the agent began another stream although nothing was damaged"
        return account(installation, probes), done
    finally:
        installation.close()


def verdict(found: dict) -> str:
    if found["numbered"] < PROBES:
        return f"only {found['numbered']} samples were measured"
    if found["silent probes"]:
        return f"{found['silent probes']} probes have no sample"
    if found["stored twice"]:
        return f"{found['stored twice']} samples are stored twice"
    if found["declared lost"]:  # the spool never overflows here, so nothing has a reason to be lost
        return f"{found['declared lost']} samples were declared lost"
    missing = found["numbered"] - found["stored"] - found["declared lost"]
    return f"{missing} samples are neither stored nor declared lost" if missing else ""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--build", type=Path, required=True)
    arguments.add_argument("--rounds", type=int, default=0)
    arguments.add_argument("--seed", type=int, default=20)
    arguments.add_argument("--long", action="store_true")
    args = arguments.parse_args()
    name = "kill -9 of agent and controller, and link cuts: every sample once"
    if not may_ping():
        print(f"skip {name}: may not open ICMP sockets (needs root or net.ipv4.ping_group_range)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    rounds = args.rounds or ROUNDS["long" if args.long else "short"]
    with tempfile.TemporaryDirectory(prefix="nw-durability-") as scratch:
        try:
            found, done = endure(args.build, Path(scratch), rounds, args.seed)
            print(json.dumps({"seed": args.seed, **found, "disturbances": dict(done)}))
            problem = verdict(found)
        except (AssertionError, OSError, subprocess.SubprocessError, sqlite3.Error) as error:
            problem = str(error) or repr(error)
        if problem:
            for log in sorted(Path(scratch).glob("*.log")):
                print(f"---- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-40:]))
    print(f"not ok {name} {problem}" if problem else f"ok {name}")
    print(f"{int(not problem)} passed, {int(bool(problem))} failed, 0 skipped")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
