"""Real agents whose credential no longer counts: what was ours stops within seconds, what nobody knows goes on."""

import json
import signal
import subprocess
import time
from pathlib import Path

from harness import Controller, Tally, need, wait_for

STOPS_WITHIN_S = 5
GOES_ON_S = 3


class Agent:
    """`netwatcher-agent run` on its own data directory, from entry to exit of the block."""

    def __init__(self, controller: Controller, data: Path) -> None:
        self.controller = controller
        self.data = data
        self.process: subprocess.Popen | None = None

    def enrol(self, token: str) -> "Agent":
        command = [self.controller.agent_program, "enroll", "--controller", self.controller.base, "--token", token, "--data-dir", self.data]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        need(done.returncode == 0, f"enroll: {done.stderr}")
        return self

    def __enter__(self) -> "Agent":
        with (self.controller.scratch / f"{self.data.name}.log").open("a") as log:
            self.process = subprocess.Popen([self.controller.agent_program, "run", "--data-dir", self.data], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def status(self) -> dict:
        """What it says of itself; nothing while it is starting."""
        need(self.process.poll() is None, f"the agent ended by itself, code {self.process.returncode}")
        done = subprocess.run([self.controller.agent_program, "status", "--output", "json", "--data-dir", self.data], capture_output=True, text=True,
                              timeout=20)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def link(self) -> str:
        return self.status().get("link", {}).get("state", "")

    def stopped(self) -> bool:
        return self.status().get("measuring") is False

    def comes_on(self) -> None:
        wait_for("the agent to be connected", lambda: self.link() == "connected")

    def stops(self) -> None:
        wait_for("the agent to stop measuring", self.stopped, STOPS_WITHIN_S)
        need((self.data / "identity.json").exists() and (self.data / "spool.db").exists(), "the agent deleted something of its own")


class World:
    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.root = controller.set_up()
        self.count = 0

    def agent(self, workspace: str = "") -> tuple[Agent, str]:
        """An enrolled agent with a probe, not running, and its path in the API."""
        self.count += 1
        workspace = workspace or self.root.me["memberships"][0]["workspace"]["id"]
        made = self.root.post(f"/workspaces/{workspace}/agents", {"name": f"agent-{self.count}"}).expect(201).json
        settings = {"target": "127.0.0.1", "interval": 1000, "packets": 1, "timeout": 500}
        probe = {"kind": "ping", "agent_id": made["agent"]["id"], "settings": settings}
        self.root.post(f"/workspaces/{workspace}/probes", probe).expect(201)
        agent = Agent(self.controller, self.controller.scratch / f"agent-{self.count}").enrol(made["enrolment"]["token"])
        return agent, f"/workspaces/{workspace}/agents/{made['agent']['id']}"

    def restart(self) -> None:
        need(self.controller.stop() == 0, "the controller did not stop cleanly")
        self.controller.start()


def deleted(w: World) -> None:
    agent, path = w.agent()
    with agent:
        agent.comes_on()
        need(agent.status()["measuring"], "the agent is not measuring")
        w.root.delete(path).expect(204)
        agent.stops()


def deleted_while_away(w: World) -> None:
    agent, path = w.agent()
    w.root.delete(path).expect(204)
    w.restart()  # what it knows of deleted agents is on its disk
    with agent:
        agent.stops()
        need("deleted" in agent.status()["link"]["what"], f"status says {agent.status()['link']}")


def enrolled_anew(w: World) -> None:
    agent, path = w.agent()
    moved = w.root.post(f"{path}/enrolment").expect(201).json["token"]
    heir = Agent(w.controller, w.controller.scratch / f"{agent.data.name}-heir").enrol(moved)
    w.restart()
    with heir, agent:
        agent.stops()
        heir.comes_on()
        need(heir.status()["measuring"], "the agent with the new credential stopped with the old one")


def revoked(w: World) -> None:
    agent, path = w.agent()
    unused = w.root.post(f"{path}/enrolment").expect(201).json["token"]
    with agent:
        agent.comes_on()
        need(w.root.post(f"{path}/revoke").expect(200).json["status"] == "pending", "a revoked agent is not pending")
        agent.stops()
    w.root.post(f"{path}/revoke").expect(200)  # once more changes nothing
    stranger = Agent(w.controller, w.controller.scratch / f"{agent.data.name}-stranger")
    command = [w.controller.agent_program, "enroll", "--controller", w.controller.base, "--token", unused, "--data-dir", stranger.data]
    need(subprocess.run(command, capture_output=True, timeout=60).returncode != 0, "a token from before still enrols")
    heir = Agent(w.controller, w.controller.scratch / f"{agent.data.name}-heir").enrol(w.root.post(f"{path}/enrolment").expect(201).json["token"])
    w.restart()
    with heir, agent:
        agent.stops()
        heir.comes_on()
        need(heir.status()["measuring"], "the agent with the new credential stopped with the old one")


def workspace_deleted(w: World) -> None:
    workspace = w.root.post("/workspaces", {"name": "Short lived"}).expect(201).json["id"]
    agent, _ = w.agent(workspace)
    w.root.delete(f"/workspaces/{workspace}").expect(204)
    with agent:
        agent.stops()


def unknown(w: World) -> None:
    agent, _ = w.agent()
    file = agent.data / "identity.json"
    identity = json.loads(file.read_text())
    with agent:
        agent.comes_on()  # it has its desired state on disk from here on
    file.write_text(json.dumps(identity | {"secret": "0" * 64}))
    with agent:
        wait_for("the refusal", lambda: agent.link() == "refused")
        began = time.monotonic()
        while time.monotonic() - began < GOES_ON_S:
            status = agent.status()
            need(status["measuring"] and status["link"]["state"] == "refused", f"status says {status}")
            need(status["link"]["retry_in_ms"] > 0, "it does not say when it tries again")


def run(build: Path, scratch: Path, tally: Tally) -> None:
    with Controller(build, scratch) as controller:
        w = World(controller)
        for name, step in (("a deleted agent stops within 5 s", deleted), ("so does one that was away meanwhile", deleted_while_away),
                           ("and one that was enrolled anew elsewhere", enrolled_anew), ("and one whose credential is revoked", revoked), ("and those of a deleted workspace", workspace_deleted),
                           ("a credential nobody knows is retried while measuring goes on", unknown)):
            tally.check(f"revocation {name}", lambda: step(w))
