#!/usr/bin/env python3
"""Lists of many things: bench/lists/run.py --build build/fast [--probes 10000].

A real controller with 1,000 agents and --probes probes, of which none has a result yet; what the panel asks for when
somebody opens it, answered over loopback by one connection at a time.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/api"))
from harness import Client, Controller  # noqa: E402

AGENTS = 1000


def fill(root: Client, base: str, probes: int) -> None:
    agents = [root.post(f"{base}/agents", {"name": f"agent-{i}"}).expect(201).json["agent"]["id"] for i in range(AGENTS)]
    for i in range(probes // AGENTS):
        body = {"kind": "ping", "agent_ids": agents, "enabled": True, "settings": {"target": f"192.0.2.{i + 1}"}}
        root.post(f"{base}/probes", body).expect(201)


def timed(what: str, action, times: int = 5) -> None:
    action()
    taken = []
    for _ in range(times):
        begun = time.monotonic()
        action()
        taken.append(time.monotonic() - begun)
    print(f"{what}: {1000 * min(taken):.0f} ms (best of {times}, worst {1000 * max(taken):.0f})", flush=True)


def every_page(root: Client, path: str) -> int:
    cursor, count = None, 0
    while True:
        page = root.get(path, query={"limit": 1000} | ({"cursor": cursor} if cursor else {})).expect(200).json
        count += len(page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--probes", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nw-lists-") as scratch, Controller(options.build.resolve(), Path(scratch)) as c:
        root = c.set_up()
        base = f"/workspaces/{root.me['memberships'][0]['workspace']['id']}"
        fill(root, base, options.probes)
        now = int(time.time() * 1e6)
        timed("first page of 100 probes, with counts", lambda: root.get(f"{base}/probes").expect(200))
        timed("one probe", lambda: root.get(f"{base}/probes", query={"limit": 1, "q": "agent-77 ", "enabled": "true"}).expect(200))
        timed(f"all {options.probes} probes in pages of 1,000", lambda: every_page(root, f"{base}/probes"), 3)
        timed(f"all {AGENTS} agents", lambda: every_page(root, f"{base}/agents"))
        timed("workspaces with counts", lambda: root.get("/workspaces").expect(200))
        timed("overview", lambda: root.get(f"{base}/overview", query={"from": now - 86_400_000_000, "to": now}).expect(200), 3)


if __name__ == "__main__":
    main()
