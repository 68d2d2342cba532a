"""POST /agent/v1/enroll: one token, one agent."""

import hashlib
import sqlite3
from pathlib import Path

from harness import Client, Controller, Reply, Tally, need

INSTANCE, OTHER_INSTANCE = "11112222333344445555666677778888", "99990000aaaabbbbccccddddeeeeffff"
CREDENTIAL, OTHER_CREDENTIAL = (hashlib.sha256(secret).hexdigest() for secret in (b"one", b"two"))


class Agents:
    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.root = controller.set_up()
        self.base = f"/workspaces/{self.root.me['memberships'][0]['workspace']['id']}/agents"

    def create(self, name: str) -> tuple[str, str]:
        made = self.root.post(self.base, {"name": name}).expect(201).json
        return made["agent"]["id"], made["enrolment"]["token"]

    def enrol(self, token: str, instance: str = INSTANCE, credential: str = CREDENTIAL, hostname: str = "edge-1",
              change: dict | None = None) -> Reply:
        form = {"token": token, "credential_sha256": credential, "instance": instance, "hostname": hostname, "os": "Debian 12",
                "arch": "x86_64", "version": "1.0.0"}
        return Client(self.controller.port).call("POST", "/agent/v1/enroll", form | (change or {}))


def once(a: Agents) -> None:
    agent, token = a.create("once")
    need(a.root.get(f"{a.base}/{agent}").json["status"] == "pending", "an agent that never enrolled is not pending")
    first = a.enrol(token).expect(200)
    need(first.json == {"agent_id": agent, "name": "once"}, f"answered {first.json}")
    seen = a.root.get(f"{a.base}/{agent}").json
    need(seen["hostname"] == "edge-1" and seen["status"] != "pending", f"the agent is shown as {seen['status']} on {seen['hostname']}")
    need(a.enrol(token).expect(200).json == first.json, "a repetition by the same agent is answered differently")
    for instance, credential in ((OTHER_INSTANCE, CREDENTIAL), (INSTANCE, OTHER_CREDENTIAL), (OTHER_INSTANCE, OTHER_CREDENTIAL)):
        a.enrol(token, instance, credential, hostname="thief").expect(403)
    need(a.root.get(f"{a.base}/{agent}").json["hostname"] == "edge-1", "a refused enrolment changed the agent")
    need(token not in str(a.controller.rows("SELECT * FROM agent")), "the token itself is on disk")


def unknown(a: Agents) -> None:
    _, token = a.create("unknown")
    for wrong in ("x" * len(token), token[:-1] + ("a" if token[-1] != "a" else "b"), token + "a"):
        a.enrol(wrong).expect(403)
    a.enrol(token).expect(200)


def replaced(a: Agents) -> None:
    agent, token = a.create("replaced")
    fresh = a.root.post(f"{a.base}/{agent}/enrolment").expect(201).json["token"]
    need(fresh != token, "the new token is the old one")
    a.enrol(token).expect(403)
    a.enrol(fresh).expect(200)
    # A further token moves the agent to another host.
    moved = a.root.post(f"{a.base}/{agent}/enrolment").expect(201).json["token"]
    a.enrol(moved, OTHER_INSTANCE, OTHER_CREDENTIAL, hostname="edge-2").expect(200)
    need(a.root.get(f"{a.base}/{agent}").json["hostname"] == "edge-2", "the agent has not moved")
    a.enrol(fresh).expect(403)


def expired(a: Agents) -> None:
    agent, token = a.create("expired")
    life = a.root.post(f"{a.base}/{agent}/enrolment").expect(201).json
    now = a.root.get("/instance").json["now_us"]
    need(0 < life["expires_us"] - now <= 7 * 86_400_000_000, "the token lives for longer than a week")
    with sqlite3.connect(a.controller.data / "metadata.db", timeout=10) as db:  # time cannot be turned, the deadline can
        need(db.execute("UPDATE agent SET enrol_expires_us = 1 WHERE name = 'expired'").rowcount == 1, "no such agent on disk")
    db.close()
    a.enrol(life["token"]).expect(403)


def deleted(a: Agents) -> None:
    agent, token = a.create("deleted")
    a.root.delete(f"{a.base}/{agent}").expect(204)
    a.enrol(token).expect(403)
    used, used_token = a.create("deleted later")
    a.enrol(used_token).expect(200)
    a.root.delete(f"{a.base}/{used}").expect(204)
    a.enrol(used_token).expect(403)


def malformed(a: Agents) -> None:
    _, token = a.create("malformed")
    for given, field in (({"credential_sha256": "zz" * 32}, "credential_sha256"), ({"credential_sha256": "00"}, "credential_sha256"),
                         ({"instance": "short"}, "instance"), ({"hostname": "h" * 300}, "hostname"), ({"extra": 1}, "extra"), ({"token": 5}, "token")):
        reply = a.enrol(token, change=given)
        need(reply.expect(422).fields == {field}, f"{given}: names {sorted(reply.fields)}")
    a.enrol(token).expect(200)


def audited(a: Agents) -> None:
    rows = a.controller.rows("SELECT outcome FROM audit WHERE action = 'agent.enrol'")
    need(rows and all(outcome == "done" for (outcome,) in rows), "enrolments are not audited")


def run(build: Path, scratch: Path, tally: Tally) -> None:
    with Controller(build, scratch) as controller:
        a = Agents(controller)
        for name, step in (("a token serves one agent, repeatedly", once), ("unknown tokens", unknown), ("a new token ends the old one", replaced),
                           ("expired tokens", expired), ("tokens of deleted agents", deleted), ("wrong fields are named", malformed), ("is audited", audited)):
            tally.check(f"enrolment {name}", lambda: step(a))
