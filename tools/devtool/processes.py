"""Background processes of ./dev up: started detached, known by a pid file, stopped with certainty.

A pid file holds the pid and the process's start time, so that a number the kernel has given to somebody else
since is never signalled.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from .shell import ROOT, STATE, Failure, environment

RUN = STATE / "run"
LOGS = STATE / "logs"
STOP_SECONDS = 15


def start_time(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = text.rpartition(")")[2].split()
    return None if state == "Z" else rest[18]


def running(name: str) -> int | None:
    try:
        pid, since = (RUN / f"{name}.pid").read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if start_time(int(pid)) == since else None


def log_file(name: str) -> Path:
    return LOGS / f"{name}.log"


def start(name: str, command: list, env: dict[str, str] | None = None) -> int:
    already = running(name)
    if already:
        return already
    RUN.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    with log_file(name).open("a") as log:
        process = subprocess.Popen([str(c) for c in command], cwd=ROOT, env=environment(env), stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
    (RUN / f"{name}.pid").write_text(f"{process.pid} {start_time(process.pid)}")
    return process.pid


def log_tail(name: str, lines: int = 20) -> str:
    file = log_file(name)
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.is_file() else ""


def wait_until(what: str, ready, names: list[str], seconds: float = 30) -> None:
    """Asks `ready` until it says yes; a process that dies meanwhile ends the wait with its last words."""
    deadline = time.monotonic() + seconds
    while not ready():
        for name in names:
            if not running(name):
                raise Failure(f"{name} ended while {what}; {log_file(name)} says:\n{log_tail(name)}")
        if time.monotonic() > deadline:
            raise Failure(f"no end to {what} within {seconds:.0f} s; see {LOGS}")
        time.sleep(0.05)


def signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def reap(pid: int) -> None:
    """Our own children stay zombies until waited for; those of an earlier ./dev are init's."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def stop(name: str) -> bool:
    pid = running(name)
    if pid:
        signal_group(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while running(name) and time.monotonic() < deadline:
            reap(pid)
            time.sleep(0.05)
        if running(name):
            signal_group(pid, signal.SIGKILL)
            reap(pid)
    (RUN / f"{name}.pid").unlink(missing_ok=True)
    return pid is not None


def started() -> list[str]:
    return sorted(file.stem for file in RUN.glob("*.pid"))
