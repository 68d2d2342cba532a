"""Paths, messages and processes: what every other module of ./dev stands on.

No child ever reads our standard input or outlives its deadline: it is a process group of its own, killed whole.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".dev"
NODE_BIN = STATE / "node/node_modules/.bin"
UNTRACKED = {"node_modules", "build", "dist", ".dev", ".git", "__pycache__"}


class Failure(Exception):
    """An expected failure: its message is all the user needs to see."""


@dataclass
class Outcome:
    code: int
    output: str
    seconds: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.timed_out


def say(text: str = "") -> None:
    print(text, flush=True)


def heading(text: str) -> None:
    say(f"\n== {text}")


def is_root() -> bool:
    return os.geteuid() == 0


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    env = dict(os.environ)
    path = env.get("PATH", "/usr/bin:/bin")
    if NODE_BIN.is_dir():
        path = f"{NODE_BIN}:{path}"
    env["PATH"] = f"{path}:/usr/sbin:/sbin"
    env["CI"] = "true"
    env["CCACHE_BASEDIR"] = str(ROOT)
    env["NO_UPDATE_NOTIFIER"] = "1"
    env.update(extra or {})
    return env


def kill_group(process: subprocess.Popen, grace_seconds: float = 5) -> None:
    """Ends the process and all it started: politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            continue


def run(command: list, *, cwd: Path = ROOT, env: dict[str, str] | None = None, timeout: float = 600,
        capture: bool = False) -> Outcome:
    """Runs to the end or to the deadline. With `capture` the output comes back, otherwise it is shown."""
    began = time.monotonic()
    pipe = subprocess.PIPE if capture else None
    try:
        process = subprocess.Popen([str(c) for c in command], cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL,
                                   stdout=pipe, stderr=subprocess.STDOUT if capture else None, text=True,
                                   errors="replace", start_new_session=True)
    except FileNotFoundError as error:
        return Outcome(127, f"{error.filename}: not found", 0)
    timed_out = False
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        kill_group(process)
        output, _ = process.communicate()
    except KeyboardInterrupt:
        kill_group(process)
        raise
    return Outcome(process.returncode, output or "", time.monotonic() - began, timed_out)


def must(command: list, why: str, **options) -> Outcome:
    """Like run, but a failure ends the verb with `why` and whatever the command said."""
    outcome = run(command, **options)
    if outcome.ok:
        return outcome
    if outcome.output:
        sys.stderr.write(outcome.output)
    reason = f"no end after {outcome.seconds:.0f} s" if outcome.timed_out else f"exit code {outcome.code}"
    raise Failure(f"{why}: {reason} ({' '.join(str(c) for c in command[:6])} ...)")


def git_lines(*arguments: str) -> list[str]:
    # A checkout made by another user (CI mounts) is still ours to list.
    outcome = run(["git", "-c", "safe.directory=*", *arguments], capture=True, timeout=60)
    return outcome.output.splitlines() if outcome.ok else []


def tracked_files(*suffixes: str, under: tuple[str, ...] = ()) -> list[Path]:
    """Files git knows or would add, without what it ignores."""
    listed = git_lines("ls-files", "--cached", "--others", "--exclude-standard", "--", *under)
    if not listed:  # an unpacked tarball
        found = [p.relative_to(ROOT) for part in under or (".",) for p in (ROOT / part, *(ROOT / part).rglob("*"))]
        listed = [str(p) for p in found if not UNTRACKED & set(p.parts)]
    return sorted(ROOT / f for f in listed if f.endswith(suffixes) and (ROOT / f).is_file())
