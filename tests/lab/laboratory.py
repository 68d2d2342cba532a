"""The network laboratory as the tests see it: one emulated link ("far", 10.202.0.0/16 and fd77:202::/64), one plain
one ("farm", 10.201.0.0/16), their truth, and ways to run programs and capture packets at the source."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
NOT_ROOT = "needs root: network namespaces"


class Lab:
    def __init__(self, build: pathlib.Path):
        self.prefix = f"nwlt{os.getpid() % 10000}"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="nw-lab-"))
        self.log = self.dir / "emulator.log"
        self.netwatcher = build / "apps/netwatcher/netwatcher"
        self.measuring = build / "tests/lab/nw_measure"
        self.env = os.environ | {"NWLAB_PREFIX": self.prefix, "NWLAB_STATE": str(self.dir / "state"),
                                 "NW_LINKEMU": str(build / "tests/lab/nw_linkemu")}
        self.log_read = 0

    def script(self, *arguments: str) -> None:
        done = subprocess.run([HERE / "lab.sh", *arguments], env=self.env, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"lab.sh {' '.join(arguments)}: {done.stderr or done.stdout}")

    def up(self, *parameters: str) -> None:
        # The emulator beside the program under test, on a machine with few processors: spin little.
        self.script("up", *(parameters or ("chain=0", "fardelay=10")), f"emulog={self.log}", "spin=100")

    def down(self) -> None:
        try:
            self.script("down")
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
            shutil.rmtree(f"/etc/netns/{self.prefix}-src", ignore_errors=True)

    def command(self, place: str, *command) -> list[str]:
        return ["ip", "netns", "exec", f"{self.prefix}-{place}", *map(str, command)]

    def run(self, *command, place: str = "src", timeout: float = 60) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(place, *command), capture_output=True, text=True, timeout=timeout)

    def change(self, place: str, *command) -> None:
        """Something about a namespace that has to work."""
        done = self.run(*command, place=place)
        if done.returncode != 0:
            raise RuntimeError(f"{place}: {' '.join(map(str, command))}: {done.stderr or done.stdout}")

    def start(self, *command, place: str = "src", **options) -> subprocess.Popen:
        return subprocess.Popen(self.command(place, *command), text=True, **options)

    def link(self, keys: str) -> None:
        """Impairments of the far link from now on; the emulator has taken them when its log says so."""
        self.script("link", "far", *keys.split())
        time.sleep(0.1)  # the reload is a signal without an answer
        self.forget()

    # -- truth ------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """What happens from here on is what the next deliveries() returns."""
        self.flush()
        self.log_read = self.log.stat().st_size

    def flush(self) -> None:
        before = time.time()
        pid = int((self.dir / "state/linkemu.pid").read_text())
        os.kill(pid, 10)  # SIGUSR1: statistics and log to their files
        stats = self.dir / "state/linkemu.json"
        while not stats.exists() or stats.stat().st_mtime < before - 0.01:
            if time.time() > before + 5:
                raise RuntimeError("the emulator does not answer")
            time.sleep(0.01)

    def stats(self) -> dict:
        self.flush()
        dirs = json.loads((self.dir / "state/linkemu.json").read_text())["dirs"]
        return {entry["name"]: entry for entry in dirs}

    def deliveries(self) -> tuple[list[dict], list[dict]]:
        """Echo requests and replies in the order in which the emulator delivered them, since forget()."""
        self.flush()
        requests, replies = [], []
        with open(self.log) as log:
            log.seek(self.log_read)
            for line in log:
                f = line.split()
                if len(f) < 8 or f[3] not in ("1", "58"):
                    continue
                entry = {"came": int(f[1]), "left": int(f[2]), "to": f[4], "id": int(f[6]), "seq": int(f[7])}
                if f[5] in ("8", "128"):
                    requests.append(entry)
                elif f[5] in ("0", "129"):
                    replies.append(entry)
        return requests, replies

    def round_trips(self) -> list[float]:
        """Microseconds in the emulator, both ways, of each answered request in the order of sending."""
        requests, replies = self.deliveries()
        answered = {(r["id"], r["seq"]): r for r in reversed(replies)}
        trips = []
        for request in sorted(requests, key=lambda r: r["came"]):
            reply = answered.get((request["id"], request["seq"]))
            if reply:
                trips.append((request["left"] - request["came"] + reply["left"] - reply["came"]) / 1000)
        return trips

    def probes(self) -> list[dict]:
        """The echo requests that came to the first link of the chain since forget(), in order: for each, how long the
        emulator had it and its answer in all links together, and whether the answer came back."""
        self.flush()
        names = self.directions()
        requests: dict[tuple, dict] = {}
        with open(self.log) as log:
            log.seek(self.log_read)
            for line in log:
                f = line.split()
                if len(f) < 8 or f[3] not in ("1", "58"):
                    continue
                direction, came, left = names[int(f[0])], int(f[1]), int(f[2])
                error = len(f) >= 11
                key = (int(f[9]), int(f[10])) if error else (int(f[6]), int(f[7]))
                if f[5] in ("8", "128"):
                    entry = requests.setdefault(key, {"came": came, "emulated_us": 0.0, "answered": False})
                elif error or f[5] in ("0", "129"):
                    entry = requests.get(key)
                    if entry is None:
                        continue
                    entry["answered"] = entry["answered"] or direction == "0.ba"
                else:
                    continue
                entry["emulated_us"] += (left - came) / 1000
        return sorted(requests.values(), key=lambda r: r["came"])

    def directions(self) -> list[str]:
        return [entry["name"] for entry in json.loads((self.dir / "state/linkemu.json").read_text())["dirs"]]

    # -- the program under test -----------------------------------------------------------------------------------

    def ping(self, *arguments, timeout: float = 60, command=()) -> "Pinged":
        done = self.run(*command, self.netwatcher, "ping", "--output", "ndjson", *arguments, timeout=timeout)
        return Pinged(done)

    def trace(self, *arguments, timeout: float = 90) -> "Traced":
        return Traced(self.run(self.netwatcher, "trace", "--numeric", "--output", "ndjson", *arguments, timeout=timeout))

    # As an agent does: samples of one probe, in the order of their runs.
    def start_measuring(self, kind: str, seconds: int, *settings: str) -> subprocess.Popen:
        return self.start(self.measuring, kind, seconds, *settings, stdout=subprocess.PIPE)

    def measured(self, process: subprocess.Popen) -> list[dict]:
        out, _ = process.communicate(timeout=90)
        if process.returncode != 0:
            raise RuntimeError(f"measure: exit code {process.returncode}")
        return sorted((json.loads(line) for line in out.splitlines()), key=lambda s: s["at_us"])

    def measure(self, kind: str, seconds: int, *settings: str) -> list[dict]:
        return self.measured(self.start_measuring(kind, seconds, *settings))

    def capture(self, seconds: float = 60) -> "Capture":
        return Capture(self, seconds)


class Pinged:
    def __init__(self, done: subprocess.CompletedProcess):
        self.code, self.errors = done.returncode, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.packets = [line for line in lines if line["type"] == "packet"]
        self.summaries = [line for line in lines if line["type"] == "summary"]

    @property
    def summary(self) -> dict:
        assert len(self.summaries) == 1, f"{len(self.summaries)} summaries; {self.errors}"
        return self.summaries[0]

    def outcomes(self) -> list[str]:
        return [packet["outcome"] for packet in sorted(self.packets, key=lambda p: p["seq"])]


class Traced:
    def __init__(self, done: subprocess.CompletedProcess):
        self.code, self.errors = done.returncode, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.replies = sorted((line for line in lines if line["type"] == "reply"), key=lambda r: r["sent_us"])
        self.exploring = [line for line in lines if line["type"] == "exploring"]
        self.summaries = [line for line in lines if line["type"] == "summary"]

    @property
    def summary(self) -> dict:
        assert len(self.summaries) == 1, f"{len(self.summaries)} summaries; {self.errors}"
        return self.summaries[0]

    @property
    def hops(self) -> list[dict]:
        return self.summary["hops"]

    def hop(self, ttl: int) -> dict:
        found = [hop for hop in self.hops if hop["ttl"] == ttl]
        assert len(found) == 1, f"{len(found)} rows for hop {ttl}; {self.errors}"
        return found[0]


class Capture:
    """Everything that leaves the source namespace while the block runs."""

    def __init__(self, lab: Lab, seconds: float):
        self.lab, self.seconds, self.file = lab, seconds, lab.dir / "capture"

    def __enter__(self) -> "Capture":
        self.file.unlink(missing_ok=True)
        self.process = self.lab.start("python3", HERE / "sniff.py", self.file, self.seconds)
        deadline = time.time() + 10
        while not (self.file.exists() and self.file.read_text()):
            if time.time() > deadline:
                raise RuntimeError("the capture does not start")
            time.sleep(0.02)
        return self

    def __exit__(self, *_) -> None:
        time.sleep(0.1)  # the last packets are on their way through the tap
        self.process.terminate()
        self.process.wait(10)
        self.packets = [json.loads(line) for line in self.file.read_text().splitlines()[1:] if line.endswith("}")]

    def requests(self) -> list[dict]:
        return [p for p in self.packets if p.get("icmp") in (8, 128)]


def check(condition, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def equal(got, wanted, what: str) -> None:
    check(got == wanted, f"{what}: {got}, truth {wanted}")


def quantile(values: list[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def run_one(lab: Lab, test) -> bool:
    name = test.__name__.removeprefix("test_")
    try:
        test(lab)
        print("ok", name, flush=True)
        return True
    except AssertionError as problem:
        print("not ok", name, str(problem).replace("\n", " "), flush=True)
    except Exception:
        print("not ok", name, traceback.format_exc().strip().splitlines()[-1], flush=True)
    return False
