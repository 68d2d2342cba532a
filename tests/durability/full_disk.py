"""The disks of controller and agent fill up under load and are freed again. For tests only.

Each has a small file system of its own (tmpfs), filled to the last byte by a ballast file. Nothing may be lost: the agent
keeps what the controller cannot take, and in its memory what its own disk cannot.
"""

import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from accounts import account, settle, verdict
from installation import WORKSPACE, Installation, wait_for

PROBES = 40
# The controller wants 256 MiB free; the agent needs room for its spool and its state.
CONTROLLER_MIB = 320
AGENT_MIB = 4
# An agent that was told that the controller is overloaded comes back within 30 s.
RECOVERS_WITHIN_S = 60


def why_not() -> str:
    return "" if os.geteuid() == 0 else "may not mount file systems (needs root)"


@contextmanager
def small_disk(where: Path, mebibytes: int):
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "nw-full-disk", where], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", where], check=True, capture_output=True)


class Ballast:
    def __init__(self, disk: Path) -> None:
        self.file = disk / "ballast"

    def fill(self) -> None:
        """Takes every byte there is, also those that others free meanwhile."""
        with self.file.open("ab") as out:
            while free := os.statvfs(self.file).f_bavail * os.statvfs(self.file).f_frsize:
                try:
                    os.posix_fallocate(out.fileno(), out.seek(0, os.SEEK_END), free)
                except OSError:
                    return  # somebody took a part of it first

    def free(self) -> None:
        self.file.unlink()


def problems(installation: Installation) -> list[dict]:
    return installation.api.get("/api/v1/instance")["problems"]


def waiting(installation: Installation) -> int:
    """Results that the agent holds, in its file or in memory, and the controller does not have."""
    return installation.agent_status()["health"]["spool_rows"]


def fill_controller(installation: Installation, ballast: Ballast) -> dict:
    began = time.monotonic()
    ballast.fill()
    wait_for("the controller to say that it takes nothing", lambda: installation.api.metric("netwatcher_ingest_store_refuses") == 1)
    noticed = time.monotonic() - began
    assert problems(installation), "the API does not tell that the store takes no samples"
    assert "the store takes no samples" in (installation.scratch / "controller.log").read_text(), "nothing in the log"
    wait_for("the agent to keep what it measures", lambda: waiting(installation) >= 2 * PROBES)
    agents = installation.api.get(f"/api/v1/workspaces/{WORKSPACE}/agents?limit=10")["items"]
    assert len(agents) == 1, "the API does not answer while the disk is full"
    # What runs out of space at its start must come up once there is space, and not spoil what is there.
    installation.kill("controller")
    ballast.free()
    installation.start("controller")
    ballast.fill()
    wait_for("the restarted controller to say that it takes nothing",
             lambda: installation.api.metric("netwatcher_ingest_store_refuses") == 1, RECOVERS_WITHIN_S)
    ballast.free()
    began = time.monotonic()
    wait_for("the controller to recover", lambda: installation.api.metric("netwatcher_ingest_store_refuses") == 0, RECOVERS_WITHIN_S)
    assert not problems(installation), "the API still tells of trouble that is over"
    wait_for("the agent to deliver", lambda: waiting(installation) < PROBES, RECOVERS_WITHIN_S)
    return {"noticed after s": round(noticed, 1), "recovered after s": round(time.monotonic() - began, 1)}


def health(installation: Installation) -> dict:
    return installation.agent_status()["health"]


def fill_agent(installation: Installation, ballast: Ballast) -> None:
    installation.link.cut()
    ballast.fill()
    wait_for("the agent to notice its full disk", lambda: health(installation)["spool_refused"])
    assert "the spool cannot be written" in (installation.scratch / "agent.log").read_text(), "nothing in the log"
    wait_for("results to be held in memory", lambda: waiting(installation) >= 2 * PROBES)
    installation.link.mend()  # what is in memory is delivered from there

    def told() -> bool:
        agent = installation.api.get(f"/api/v1/workspaces/{WORKSPACE}/agents?limit=10")["items"][0]
        return agent["status"] == "online" and bool(agent["health"] and agent["health"]["spool_refused"])
    wait_for("the API to tell of the agent's disk", told, RECOVERS_WITHIN_S)
    wait_for("the agent to deliver from memory", lambda: waiting(installation) < PROBES, RECOVERS_WITHIN_S)
    ballast.free()
    wait_for("the agent to write to its disk again", lambda: not health(installation)["spool_refused"])


def trial(build: Path, scratch: Path) -> tuple[dict, str]:
    installation = Installation(build, scratch)
    with small_disk(installation.data, CONTROLLER_MIB), small_disk(installation.agent_data, AGENT_MIB):
        try:
            probes = installation.create([("ping", {"target": f"127.0.2.{n + 1}", "interval": 1000, "packets": 1, "timeout": 500})
                                          for n in range(PROBES)])
            installation.start("agent")
            wait_for("the first samples", lambda: installation.spool().get("acked", 0) > 0)
            stream = installation.spool()["stream"]
            seen = fill_controller(installation, Ballast(installation.data))
            fill_agent(installation, Ballast(installation.agent_data))
            settle(installation, probes, stream)
            found = account(installation, probes)
            return found | seen, verdict(found, PROBES)
        finally:
            installation.close()
