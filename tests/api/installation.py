"""How an agent gets onto a host: /install.sh with its packages, and the agent that the controller runs itself."""

import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

from harness import Client, Controller, Skipped, Tally, need, wait_for
from websocket import BINARY, WebSocket

ROOT = Path(__file__).resolve().parents[2]


class World:
    def __init__(self, controller: Controller, downloads: Path) -> None:
        self.controller = controller
        self.downloads = downloads
        self.root = controller.set_up()
        self.workspace = self.root.me["memberships"][0]["workspace"]["id"]
        self.base = f"/workspaces/{self.workspace}/agents"

    def agent(self, agent: str) -> dict:
        return self.root.get(f"{self.base}/{agent}").expect(200).json

    def until(self, agent: str, status: str) -> dict:
        return wait_for(f"the agent to be {status}", lambda: (a := self.agent(agent))["status"] == status and a)

    def script(self, **more) -> str:
        return self.root.call("GET", "/install.sh", **more).expect(200).body.decode()


def served(w: World) -> None:
    listed = w.root.get("/downloads").expect(200).json
    need(len(listed["items"]) == 1, f"{len(listed['items'])} packages are listed")
    item = listed["items"][0]
    stranger = w.controller.client()
    got = stranger.call("GET", f"/download/{item['name']}").expect(200)
    need(hashlib.sha256(got.body).hexdigest() == item["sha256"] and len(got.body) == item["bytes"], "the package is not what is listed")
    script = stranger.call("GET", "/install.sh").expect(200)
    need(hashlib.sha256(script.body).hexdigest() == listed["script_sha256"], "the script is not the one whose checksum is shown")
    need(f"linux {item['arch']} {item['name']} {item['sha256']}" in script.body.decode(), "the script does not know the package")
    need("@" not in script.body.decode().replace("$@", ""), "a placeholder is left in the script")
    subprocess.run(["sh", "-n"], input=script.body, check=True, capture_output=True)


def nothing_else(w: World) -> None:
    (w.downloads / "secret.txt").write_text("x")
    (w.downloads / "netwatcher-agent_1_linux_$(reboot).tar.gz").write_text("x")
    stranger = w.controller.client()
    for name in ("secret.txt", "netwatcher-agent_1_linux_%24(reboot).tar.gz", "..%2fdata%2fmetadata.db", "%2e%2e", ""):
        stranger.call("GET", f"/download/{name}").expect(404)
    need(len(w.root.get("/downloads").json["items"]) == 1, "a file that is no package is listed")


def hostile_host(w: World) -> None:
    """Whoever names the controller by a header must not write the script."""
    for host in ("a'b", "x;reboot", "$(reboot)", "a b"):
        reply = w.root.call("GET", "/install.sh", headers={"Host": host})
        need(reply.status in (400, 422), f"Host {host!r} is answered {reply.status}")


def newest(w: World) -> None:
    """A package that is replaced while the controller runs is served anew."""
    name = w.root.get("/downloads").json["items"][0]["name"]
    parts = name.split("_")
    later = w.downloads / "_".join([parts[0], "99.0", *parts[2:]])
    shutil.copy(w.downloads / name, later)
    os.utime(later, (2_000_000_000, 2_000_000_000))
    need(w.root.get("/downloads").json["items"][0]["version"] == "99.0", "the newer package is not served")
    w.controller.client().call("GET", f"/download/{name}").expect(404)
    later.unlink()
    need(w.root.get("/downloads").json["items"][0]["name"] == name, "the package that was removed is still served")


# Everything that the script writes lies on file systems of its own, which end with the processes in them. systemctl
# only notes what it is told; the service's program is started by this script in its place.
INSIDE = r"""
set -eu
mount --make-rprivate /
cp -a /etc "$1/etc" && mount --bind "$1/etc" /etc
for place in /usr/local/bin /var/lib /run; do mount -t tmpfs tmpfs "$place"; done
mkdir -p /run/systemd/system /etc/systemd/system
export PATH="$1/fake:/usr/sbin:/usr/bin:/sbin:/bin"
sh -c "$2"
cp /etc/systemd/system/netwatcher-agent.service "$1/unit"
[ "${3:-}" = keep ] || exit 0
exec /usr/local/bin/netwatcher-agent run
"""


def fakes(scratch: Path, **more: str) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "fake").mkdir(parents=True)
    programs = {"systemctl": f'echo "$*" >> {scratch}/systemctl.log'} | more
    for name, body in programs.items():
        (scratch / "fake" / name).write_text(f"#!/bin/sh\n{body}\n")
        (scratch / "fake" / name).chmod(0o755)
    return scratch


def can_unshare() -> None:
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        raise Skipped("needs root and mount namespaces")


def inside(scratch: Path, command: str) -> subprocess.CompletedProcess:
    return subprocess.run(["unshare", "--mount", "sh", "-c", INSIDE, "inside", scratch, command], capture_output=True, text=True,
                          timeout=120, check=False)


def one_line(w: World) -> None:
    """The line that the API hands out, as it is, on a host that has nothing."""
    can_unshare()
    made = w.root.post(w.base, {"name": "by one line"}).expect(201).json
    line = made["enrolment"]["command"].replace("| sudo sh", "| sh")
    need(line.startswith("curl -fsSL http"), f"the line is {line}")
    scratch = fakes(w.controller.scratch / "line")
    with (scratch / "log").open("w") as log:
        process = subprocess.Popen(["unshare", "--mount", "sh", "-c", INSIDE, "inside", scratch, line, "keep"],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        def online():
            need(process.poll() is None, f"it ended: {(scratch / 'log').read_text()[-800:]}")
            return w.agent(made["agent"]["id"])["status"] == "online"
        wait_for("the installed agent", online)
        told = (scratch / "systemctl.log").read_text().split("\n")
        need("enable netwatcher-agent" in told and "restart netwatcher-agent" in told, f"systemctl was told {told}")
        need("ExecStart=/usr/local/bin/netwatcher-agent run" in (scratch / "unit").read_text(), "the unit starts something else")
    finally:
        process.terminate()
        process.wait(30)
    again = inside(scratch, line)
    need(again.returncode != 0 and "token" in again.stderr, f"the token worked twice: {again.stderr[-300:]}")


def refusals(w: World) -> None:
    """Nothing is installed from a damaged package, for another processor, or without root; and it says why."""
    can_unshare()
    token = w.root.post(w.base, {"name": "refused"}).expect(201).json["enrolment"]["token"]
    scratch = fakes(w.controller.scratch / "refused")
    fetch = f"curl -fsSL {w.controller.base}/install.sh | sh -s --"
    damaged = scratch / "damaged.tar.gz"
    damaged.write_bytes(next(w.downloads.glob("netwatcher-agent_*.tar.gz")).read_bytes()[:-1] + b"x")
    done = inside(scratch, f"{fetch} --token {token} --file {damaged}; test ! -e /usr/local/bin/netwatcher-agent && exit 77")
    need(done.returncode == 77 and "checksum" in done.stderr, f"{done.returncode}: {done.stderr[-300:]}")
    for fake, expected in (({"uname": '[ "$1" = -m ] && echo riscv64 || echo Linux'}, "it has: linux-"), ({"id": "echo 1000"}, "needs root"),
                           ({"uname": "echo Darwin"}, "no agent for Darwin")):
        scratch = fakes(scratch, **fake)
        done = inside(scratch, f"{fetch} --token {token}")
        need(done.returncode != 0 and expected in done.stderr, f"{fake}: {done.returncode}: {done.stderr[-300:]}")


def children(controller: Controller) -> list[int]:
    listed = Path(f"/proc/{controller.process.pid}/task/{controller.process.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def built_in(w: World) -> None:
    need("builtin_agent" in w.root.get("/instance").json["features"], "the feature is not announced")
    need(not children(w.controller), "a process runs before anybody asked for one")
    made = w.root.post(f"{w.base}/builtin", {"name": "controller"}).expect(201).json
    agent = made["id"]
    need(w.root.post(f"{w.base}/builtin", {"name": "twice"}).expect(200).json["id"] == agent, "a second click made a second agent")
    need(w.until(agent, "online")["builtin"], "the agent is not marked as built in")
    probe = {"kind": "ping", "agent_id": agent, "settings": {"target": "127.0.0.1", "interval": 1000, "packets": 2, "timeout": 500}}
    item = w.root.post(f"/workspaces/{w.workspace}/probes", probe).expect(201).json["items"][0]["id"]
    wait_for("its first result", lambda: w.root.get(f"/workspaces/{w.workspace}/probes/{item}").json["latest"])
    pid, = children(w.controller)
    # It has none of the controller's files, and its secret is its own user's only.
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    need(not [link for link in links if "metadata.db" in link or "telemetry" in link], f"it holds {links}")
    identity = next((w.controller.data / "builtin-agent").glob("*/identity.json"))
    need(identity.stat().st_mode & 0o077 == 0, "others may read its credential")
    need(json.loads(identity.read_text())["secret"] not in str(w.controller.rows("SELECT * FROM agent")), "the secret is in the database")
    # Deleting ends it, restoring starts it.
    w.root.delete(f"{w.base}/{agent}").expect(204)
    wait_for("the end of the process", lambda: gone(pid) and not children(w.controller))
    w.root.post(f"{w.base}/{agent}/restore").expect(200)
    w.until(agent, "online")
    # A child that dies is started again.
    pid, = children(w.controller)
    os.kill(pid, signal.SIGKILL)
    wait_for("another process", lambda: [p for p in children(w.controller) if p != pid])
    w.until(agent, "online")
    w.built_in = agent


def ends_with_the_controller(w: World) -> None:
    pid, = children(w.controller)
    w.controller.process.kill()
    w.controller.process.wait()
    wait_for("the end of the orphan", lambda: gone(pid), 15)
    w.controller.start()
    w.until(w.built_in, "online")
    pid, = children(w.controller)
    w.controller.stop()
    need(gone(pid), "the process outlives the controller")
    w.controller.start()


def one_workspace_has_it(w: World) -> None:
    other = w.root.post("/workspaces", {"name": "Other"}).expect(201).json["id"]
    w.root.post(f"/workspaces/{other}/agents/builtin", {"name": "controller"}).expect(409)


def behind_tls(w: World) -> None:
    """With TLS the agent on this host comes by a listener of its own, which nobody else reaches."""
    if not shutil.which("openssl"):
        raise Skipped("needs openssl")
    folder = w.controller.scratch / "tls"
    folder.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=nw.example.org",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True, timeout=60)
    w.controller.stop()
    begun = int(time.time() * 1e6)
    connected = ("SELECT count(*) FROM agent_connection c JOIN agent a ON a.id = c.agent "
                 "WHERE c.until_us IS NULL AND c.from_us > ? AND a.name = 'controller'")
    command = [w.controller.program, "serve", "--data-dir", w.controller.data, "--listen", f"0.0.0.0:{w.controller.port}",
               "--tls-certificate", folder / "cert.pem", "--tls-key", folder / "key.pem", *w.controller.options]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        def connects() -> bool:
            need(process.poll() is None, f"the controller ended: {(folder / 'log').read_text()[-800:]}")
            return w.controller.rows(connected, begun)[0][0] == 1

        wait_for(lambda: f"the built-in agent; the controller says: {(folder / 'log').read_text()[-1500:]}", connects, 120)
        identity = json.loads(next((w.controller.data / "builtin-agent").glob("*/identity.json")).read_text())
        need(re.fullmatch(r"http://127\.0\.0\.1:\d+", identity["controller"]), f"it comes by {identity['controller']}")
        need(not identity["controller"].endswith(f":{w.controller.port}"), "it comes by the public port")
    finally:
        process.terminate()
        process.wait(30)
        w.controller.start()


def turned_off(build: Path, scratch: Path) -> None:
    with Controller(build, scratch / "off", options=["--builtin-agent", "off"]) as c:
        root = c.set_up()
        need(root.get("/instance").json["features"] == [], "the feature is announced though it is off")
        workspace = root.me["memberships"][0]["workspace"]["id"]
        refused = root.post(f"/workspaces/{workspace}/agents/builtin", {"name": "x"}).expect(409)
        need("turned off" in refused.json["detail"], f"it says {refused.json['detail']}")
        empty = root.get("/downloads").expect(200).json
        need(empty["items"] == [], "a directory that does not exist has packages")
        need(re.search(r"packages=''", root.call("GET", "/install.sh").body.decode()), "the script has packages from nowhere")


def hello(boot: int) -> bytes:
    """AgentMessage{hello: {protocol: 1, stream: 7, boot}} of proto/agent.proto."""
    body = b"\x08\x01" + b"\x21" + struct.pack("<Q", 7) + b"\x59" + struct.pack("<Q", boot)
    return b"\x0a" + bytes([len(body)]) + body


def twins(w: World) -> None:
    """A copied data directory: two processes that take turns are shown, and once in the audit log."""
    made = w.root.post(w.base, {"name": "copied"}).expect(201).json
    agent, secret = made["agent"]["id"], "s3cret" * 8
    form = {"token": made["enrolment"]["token"], "credential_sha256": hashlib.sha256(secret.encode()).hexdigest(), "instance": "1" * 32,
            "hostname": "edge", "os": "Debian 12", "arch": "x86_64", "version": "1.0.0"}
    Client(w.controller.port).call("POST", "/agent/v1/enroll", form).expect(200)
    held = []

    def greet(boot: int) -> None:
        held.append(WebSocket(Client(w.controller.port), "/agent/v1/connect", headers={"Authorization": f"Bearer {agent}.{secret}"}))
        held[-1].send_frame(BINARY, hello(boot))
        held[-1].read_frame()  # the welcome

    for boot in (1, 2, 2, 3):
        greet(boot)  # restarts and reconnects
    need(w.agent(agent)["twin"] is None, "a restart is taken for a copy")
    for boot in (2, 3, 2):
        greet(boot)
    twin = wait_for("the twin", lambda: w.agent(agent)["twin"])
    need(twin["addresses"] == ["127.0.0.1", "127.0.0.1"], f"addresses {twin}")
    audited = "SELECT count(*) FROM audit WHERE action = 'agent.credential_shared'"
    wait_for("the audit entry", lambda: w.controller.rows(audited)[0][0] == 1)
    for websocket in held:
        websocket.socket.close()


def run(build: Path, scratch: Path, tally: Tally) -> None:
    downloads = scratch / "downloads"
    pack = [sys.executable, ROOT / "tools/pack_agent.py", "--build", build, "--out", downloads]
    subprocess.run(pack, check=True, capture_output=True, timeout=60)
    with Controller(build, scratch, options=["--downloads-dir", downloads]) as c:
        w = World(c, downloads)
        for name, step in (("packages and the script are served as listed", served), ("nothing else of the directory is served", nothing_else),
                           ("the Host header cannot write the script", hostile_host), ("a newer package takes over", newest),
                           ("one line installs, enrols and starts", one_line), ("what cannot be installed is refused with its reason", refusals),
                           ("the built-in agent", built_in), ("the built-in agent ends with the controller", ends_with_the_controller),
                           ("one workspace has the built-in agent", one_workspace_has_it),
                           ("the built-in agent works behind TLS", behind_tls), ("a copied credential is shown", twins)):
            tally.check(f"installation {name}", lambda: step(w))
    tally.check("installation the built-in agent can be turned off", lambda: turned_off(build, scratch))
