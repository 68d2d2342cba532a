"""A real controller as a process, an HTTP client that hides nothing, and the counting of checks. For tests only."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

PASSWORD = "a long enough password"
API = "/api/v1"


class Failed(Exception):
    """A check that did not hold."""


class Skipped(Exception):
    """A check that this machine cannot make."""


def need(condition: object, why: str) -> None:
    if not condition:
        raise Failed(why)


def wait_for(what, ready, seconds: float = 30.0):
    """The first true answer of `ready`; nothing else tells when a process has come so far. `what` is text, or gives it."""
    deadline = time.monotonic() + seconds
    while not (answer := ready()):
        if time.monotonic() >= deadline:
            need(False, f"no end to waiting for {what() if callable(what) else what} within {seconds:.0f} s")
        time.sleep(0.05)
    return answer


class Tally:
    """Prints a line for every check, and counts."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.passed = self.failed = self.skipped = 0

    def check(self, name: str, action) -> bool:
        if self.pattern and self.pattern not in name:
            return True
        try:
            action()
        except Skipped as why:
            self.skipped += 1
            print(f"skip {name} {why}", flush=True)
            return True
        except Exception as error:  # whatever goes wrong inside a check is that check's failure
            self.failed += 1
            what = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
            print(f"not ok {name} {' '.join(what.split())}", flush=True)
            return False
        self.passed += 1
        print(f"ok {name}", flush=True)
        return True


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    request: str = ""

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed(f"{self.request}: {self.status}, not JSON: {self.body[:200]!r}") from None

    @property
    def fields(self) -> set[str]:
        return {e["field"] for e in self.json.get("errors", [])}

    def expect(self, *statuses: int) -> "Reply":
        need(self.status in statuses, f"{self.request}: {self.status} instead of "
                                      f"{' or '.join(map(str, statuses))}: {self.body[:300].decode(errors='replace')}")
        return self


@dataclass
class Client:
    """One browser: keeps its cookie and its token. `source` is the loopback address it comes from."""

    port: int
    source: str = "127.0.0.1"
    cookie: str = ""
    csrf: str = ""
    me: dict = field(default_factory=dict)

    def call(self, method: str, path: str, body=None, *, query: dict | None = None, raw: bytes | None = None,
             headers: dict | None = None) -> Reply:
        """A header of value None is left out."""
        target = path + ("?" + urlencode(query) if query else "")
        payload = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if payload is not None else {}
        if self.cookie:
            sent["Cookie"] = f"nw_session={self.cookie}"
        if self.csrf and method not in ("GET", "HEAD"):
            sent["X-CSRF-Token"] = self.csrf
        sent = {k: v for k, v in (sent | (headers or {})).items() if v is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(self.source, 0))
        try:
            try:
                connection.request(method, target, payload, sent)
            except BrokenPipeError:
                pass  # a body that is too large is refused while it is being sent; the answer is there all the same
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read(), f"{method} {target}")
        finally:
            connection.close()

    def get(self, path: str, **more) -> Reply:
        return self.call("GET", API + path, **more)

    def post(self, path: str, body=None, **more) -> Reply:
        return self.call("POST", API + path, body, **more)

    def patch(self, path: str, body=None, **more) -> Reply:
        return self.call("PATCH", API + path, body, **more)

    def delete(self, path: str, **more) -> Reply:
        return self.call("DELETE", API + path, **more)

    def signed_in(self, reply: Reply) -> "Client":
        self.cookie = cookie_of(reply)
        self.me = reply.json
        self.csrf = self.me["csrf_token"]
        return self

    def sign_in(self, email: str, password: str = PASSWORD) -> "Client":
        return self.signed_in(self.post("/session", {"email": email, "password": password}).expect(200))

    @property
    def user(self) -> str:
        return self.me["user"]["id"]


def cookie_of(reply: Reply) -> str:
    given = reply.headers.get("Set-Cookie", "")
    need(given.startswith("nw_session="), f"{reply.request}: sets no session cookie")
    return given.split(";")[0].partition("=")[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Controller:
    """`netwatcher-controller serve` on its own data directory, from entry to exit of the block."""

    def __init__(self, build: Path, scratch: Path, data: Path | None = None, options: list | None = None) -> None:
        self.program = build / "apps/controller/netwatcher-controller"
        self.agent_program = build / "apps/agent/netwatcher-agent"
        self.scratch = scratch
        self.data = data or scratch / "data"
        self.options = ["--agent-program", self.agent_program, *(options or [])]
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def run(self, *arguments, text: str = "") -> subprocess.CompletedProcess:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NETWATCHER_")}
        return subprocess.run([self.program, *arguments], input=text, env=environment, capture_output=True, text=True, timeout=60)

    def must(self, *arguments) -> str:
        done = self.run(*arguments)
        need(done.returncode == 0, f"{' '.join(map(str, arguments))}: exit code {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()

    def start(self) -> "Controller":
        self.scratch.mkdir(parents=True, exist_ok=True)
        with (self.scratch / "controller.log").open("a") as log:
            self.process = subprocess.Popen([self.program, "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{self.port}", *self.options],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("the controller", self.answers)
        return self

    def answers(self) -> bool:
        need(self.process.poll() is None, f"the controller ended by itself, code {self.process.returncode}: "
                                          f"{(self.scratch / 'controller.log').read_text()[-500:]}")
        try:
            return self.client().call("GET", "/readyz").status == 200
        except OSError:
            return False

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            raise Failed("the controller did not stop within 30 s of SIGTERM") from None

    def __enter__(self) -> "Controller":
        return self.start()

    def __exit__(self, *_) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def client(self, source: str = "127.0.0.1") -> Client:
        return Client(self.port, source)

    def setup_token(self) -> str:
        return self.must("admin", "setup-url", "--data-dir", self.data).partition("#token=")[2]

    def set_up(self, workspace: str = "Alpha") -> Client:
        """The first administrator, signed in."""
        client = self.client()
        return client.signed_in(client.post("/setup", {"token": self.setup_token(), "email": "root@example.org", "name": "Root",
                                                       "password": PASSWORD, "workspace_name": workspace}).expect(201))

    def join(self, inviter: Client, workspace: str, email: str, role: str) -> Client:
        """A new user, by an invitation of `inviter`, signed in. Nobody is invited as owner: members are made owners."""
        invited = "admin" if role == "owner" else role
        made = inviter.post(f"/workspaces/{workspace}/invites", {"email": email, "role": invited}).expect(201).json
        client = self.client()
        client.signed_in(client.post(f"/invites/{made['url'].rpartition('/')[2]}", {"name": email.partition("@")[0],
                                                                                    "password": PASSWORD}).expect(200))
        if role != invited:
            inviter.patch(f"/workspaces/{workspace}/members/{client.user}", {"role": role}).expect(200)
        return client

    def rows(self, sql: str, *values) -> list[tuple]:
        """What the metadata says on disk, while the controller runs."""
        with sqlite3.connect(f"file:{self.data / 'metadata.db'}?mode=ro", uri=True, timeout=10) as db:
            return db.execute(sql, values).fetchall()
