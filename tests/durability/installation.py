"""A controller and an agent as real processes, with a link between them that can be cut. For tests only."""

import csv
import http.cookiejar
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

WORKSPACE = "trial"
PASSWORD = "a long enough password"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def now_us() -> int:
    return int(time.time() * 1e6)


def wait_for(what: str, ready, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise AssertionError(f"no end to waiting for {what} within {seconds:.0f} s")
        time.sleep(0.05)


class Link:
    """Carries TCP connections to `port`; cut() breaks all of them and refuses new ones until mend()."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.up = True
        self.open: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            near, _ = self.listener.accept()
            try:
                if not self.up:
                    raise OSError("cut")
                far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            with self.lock:
                self.open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self) -> None:
        self.up = False
        with self.lock:
            ends, self.open = self.open, set()
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def mend(self) -> None:
        self.up = True


class Api:
    """The first administrator's session."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.csrf = ""
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"X-CSRF-Token": self.csrf} if self.csrf else {})
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with self.opener.open(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from None

    def get(self, path: str) -> dict:
        return self.call("GET", path)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/readyz", timeout=2) as reply:
                return reply.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def set_up(self, token: str) -> None:
        me = self.call("POST", "/api/v1/setup", {"token": token, "email": "owner@example.org", "name": "Owner",
                                                 "password": PASSWORD, "workspace_name": "Trial"})
        self.csrf = me["csrf_token"]

    def disable(self, probe: str) -> None:
        self.call("PATCH", f"/api/v1/workspaces/{WORKSPACE}/probes/{probe}", {"enabled": False})

    def metric(self, name: str) -> int:
        with urllib.request.urlopen(f"{self.base}/metrics", timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if re.match(rf"{name}(_total)?[ {{]", line))

    def samples(self, probe: str) -> list[tuple[int, str]]:
        """Time and outcome of every stored sample of the probe, page by page."""
        found, cursor = [], ""
        until = now_us() + 3_600_000_000
        while cursor is not None:
            page = self.get(f"/api/v1/workspaces/{WORKSPACE}/probes/{probe}/samples?from={until - 86_400_000_000}"
                            f"&to={until}&limit=10000" + (f"&cursor={cursor}" if cursor else ""))
            found += zip(page["rows"]["at_us"], page["rows"]["outcome"])
            cursor = page["next_cursor"]
        return found

    def hop_times(self, probe: str) -> set[int]:
        """The times of the stored runs that have hops."""
        url = (f"{self.base}/api/v1/workspaces/{WORKSPACE}/probes/{probe}/samples.csv?table=hops&from={now_us() - 86_400_000_000}"
               f"&to={now_us() + 3_600_000_000}")
        with self.opener.open(url, timeout=30) as reply:
            return {int(row["at_us"]) for row in csv.DictReader(reply.read().decode().splitlines())}


class Installation:
    def __init__(self, build: Path, scratch: Path) -> None:
        self.controller_program = build / "apps/controller/netwatcher-controller"
        self.agent_program = build / "apps/agent/netwatcher-agent"
        self.scratch = scratch
        self.data = scratch / "controller"
        self.agent_data = scratch / "agent"
        self.port = free_port()
        self.link = Link(self.port)
        self.api = Api(f"http://127.0.0.1:{self.port}")
        self.processes: dict[str, subprocess.Popen] = {}

    def admin(self, *arguments: str) -> str:
        command = [self.controller_program, "admin", arguments[0], "--data-dir", self.data, *arguments[1:]]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def admin_command(self, command: str, directory: Path) -> None:
        subprocess.run([self.controller_program, command, directory, "--data-dir", self.data], check=True, capture_output=True,
                       text=True, timeout=60)

    def create(self, probes: list[tuple[str, dict]]) -> list[str]:
        """Workspace, agent and probes, by kind and settings; returns the probes' identifiers, and leaves the controller running."""
        self.admin("create-workspace", "--slug", WORKSPACE, "--name", "Trial")
        made = json.loads(self.admin("create-agent", "--workspace", WORKSPACE, "--name", "agent"))
        identifiers = []
        for kind, settings in probes:
            answer = self.admin("create-probe", "--workspace", WORKSPACE, "--agent", made["agent_id"], "--kind", kind,
                                "--settings", json.dumps(settings))
            identifiers.append(json.loads(answer)["probe_id"])
        self.start("controller")
        self.api.set_up(self.admin("setup-url").partition("#token=")[2])
        subprocess.run([self.agent_program, "enroll", "--controller", f"http://127.0.0.1:{self.link.port}", "--token",
                        made["token"], "--data-dir", self.agent_data], check=True, capture_output=True, timeout=60)
        return identifiers

    def start(self, name: str) -> None:
        commands = {"controller": [self.controller_program, "serve", "--data-dir", self.data, "--listen",
                                   f"127.0.0.1:{self.port}"],
                    "agent": [self.agent_program, "run", "--data-dir", self.agent_data]}
        with (self.scratch / f"{name}.log").open("a") as log:
            self.processes[name] = subprocess.Popen(commands[name], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if name == "controller":
            wait_for("the controller", self.api.answers)

    def kill(self, name: str) -> None:
        process = self.processes[name]
        assert process.poll() is None, f"{name} had ended by itself, code {process.returncode}; see {self.scratch}/{name}.log"
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> int:
        process = self.processes[name]
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(30)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{name} did not stop within 30 s of SIGTERM") from None

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()

    def agent_status(self) -> dict:
        """What the running agent says of itself; nothing while it is starting."""
        command = [self.agent_program, "status", "--output", "json", "--data-dir", self.agent_data]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def spool(self) -> dict[str, int]:
        """What the agent's spool says about its stream; the agent may be running."""
        file = self.agent_data / "spool.db"
        if not file.exists():
            return {}
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10) as db:
            made = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
            return dict(db.execute("SELECT name, value FROM meta")) if made else {}


def may_trace() -> bool:
    return os.geteuid() == 0


def may_ping() -> bool:
    """Raw sockets as root, or datagram ICMP where the kernel allows it to our group."""
    if os.geteuid() == 0:
        return True
    low, high = (int(n) for n in Path("/proc/sys/net/ipv4/ping_group_range").read_text().split())
    return low <= os.getegid() <= high
