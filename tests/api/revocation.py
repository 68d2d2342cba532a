"""Real agents whose credential no longer counts: what was ours stops within seconds, what nobody knows goes on."""

import json
import subprocess
import time
from pathlib import Path

from agents import Agent
from harness import Controller, Tally, need, wait_for

GOES_ON_S = 3


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
