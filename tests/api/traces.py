"""Traces asked for now: a real agent, its progress over the WebSocket, and everything that can come between."""

import os
from pathlib import Path

from agents import Agent
from harness import Client, Controller, Skipped, Tally, need, wait_for
from websocket import WebSocket

OVER = ("done", "failed", "cancelled", "expired")


class World:
    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.root: Client = controller.set_up()
        self.workspace = self.root.me["memberships"][0]["workspace"]["id"]
        self.base = f"/workspaces/{self.workspace}"
        made = self.root.post(f"{self.base}/agents", {"name": "tracer"}).expect(201).json
        self.agent_id = made["agent"]["id"]
        self.agent = Agent(controller, controller.scratch / "tracer").enrol(made["enrolment"]["token"])

    def ask(self, **more) -> dict:
        return self.root.post(f"{self.base}/traces", {"agent": self.agent_id, "target": "127.0.0.1"} | more).expect(201).json

    def get(self, trace: str) -> dict:
        return self.root.get(f"{self.base}/traces/{trace}").expect(200).json

    def over(self, trace: str) -> dict:
        wait_for("the trace to end", lambda: self.get(trace)["state"] in OVER)
        return self.get(trace)


def has_one_hop(path: dict | None) -> None:
    need(path is not None, "no path")
    need(path["reached"] is True and len(path["hops"]) == 1, f"the path is {path}")
    hop = path["hops"][0]
    need(hop["address"] == "127.0.0.1" and hop["last"] and hop["answer"] == "arrived", f"the hop is {hop}")
    need(hop["received"] == hop["sent"] > 0 and 0 < hop["rtt"]["mean_us"] < 100_000, f"the hop is {hop}")


def traced(w: World) -> None:
    with w.agent:
        w.agent.comes_on()
        asked = w.ask(cycles=3, period_ms=400, flows=1)
        need(asked["state"] in ("waiting", "running") and asked["created_by"], f"{asked}")
        need(asked["settings"]["cycles"] == 3 and asked["settings"]["flows"] == "1", f"{asked['settings']}")
        trace = w.over(asked["id"])
        need(trace["state"] == "done" and trace["reason"] == "", f"it ended {trace['state']}: {trace['reason']}")
        need(trace["cycles_done"] == trace["cycles"] == 3, f"{trace}")
        need(asked["created_us"] <= trace["started_us"] <= trace["ended_us"], f"{trace}")
        has_one_hop(trace["path"])
        listed = w.root.get(f"{w.base}/traces", query={"agent": w.agent_id}).expect(200).json["items"]
        need(listed[0]["id"] == asked["id"] and listed[0]["path"] is None, "it is not the newest of the list")
    need(w.controller.rows("SELECT count(*) FROM audit WHERE action = 'trace.start'")[0][0] == 1, "no audit entry")


def told_as_it_goes(w: World) -> None:
    with w.agent, WebSocket(w.root) as socket:
        w.agent.comes_on()
        asked = w.ask(cycles=6, period_ms=500)
        wish = {"type": "subscribe", "id": 1, "workspace": w.workspace, "topic": "trace", "trace": asked["id"]}
        need(socket.ask(wish)[-1]["type"] == "subscribed", "no subscription")
        seen = socket.until(lambda m: any(e["trace"]["state"] in OVER for e in m.get("events", [])))
        events = [e["trace"] for m in seen for e in m.get("events", [])]
        need(events[-1]["state"] == "done", f"it ended {events[-1]['state']}: {events[-1]['reason']}")
        has_one_hop(events[-1]["path"])
        steps = [e["cycles_done"] for e in events]
        need(steps == sorted(steps) and len(set(steps)) >= 4, f"progress was told as {steps}")
        need(any(e["state"] == "running" and e["path"] for e in events), "no path before the end")
        took = (events[-1]["ended_us"] - asked["created_us"]) / 1e6
        need(len(events) <= 4 * took + 2, f"{len(events)} events in {took:.1f} s")


def waits_for_its_agent(w: World) -> None:
    asked = w.ask(cycles=1, period_ms=1000)
    need(w.get(asked["id"])["state"] == "waiting", "it did not wait")
    with w.agent:
        need(w.over(asked["id"])["state"] == "done", "an agent that came within the time did not do it")


def cancelled(w: World) -> None:
    waiting = w.ask()
    w.root.delete(f"{w.base}/traces/{waiting['id']}").expect(204)
    need(w.get(waiting["id"])["state"] == "cancelled", "a waiting one is not cancelled")
    with w.agent:
        w.agent.comes_on()
        running = w.ask(cycles=100, period_ms=1000)
        wait_for("the trace to run", lambda: w.get(running["id"])["cycles_done"] >= 1)
        w.root.delete(f"{w.base}/traces/{running['id']}").expect(204)
        trace = w.get(running["id"])
        need(trace["state"] == "cancelled" and trace["ended_us"], f"{trace}")
        has_one_hop(trace["path"])
        w.root.delete(f"{w.base}/traces/{running['id']}").expect(409)
        wait_for("the agent to stop", lambda: w.agent.log().count("cancelled") >= 1)


def cancelled_at_once(w: World) -> None:
    """However soon it is asked for: what is being written down is neither waiting nor gone."""
    for _ in range(100):
        trace = w.ask()["id"]
        w.root.delete(f"{w.base}/traces/{trace}").expect(204)
        need(w.get(trace)["state"] == "cancelled", "it waits again")
        listed = w.root.get(f"{w.base}/traces", query={"limit": 1}).expect(200).json["items"][0]
        need(listed["id"] == trace and listed["state"] == "cancelled", f"the list says {listed['state']}")


def survives_a_restart(w: World) -> None:
    with w.agent:
        w.agent.comes_on()
        asked = w.ask(cycles=8, period_ms=1000)
        wait_for("the trace to run", lambda: w.get(asked["id"])["cycles_done"] >= 1)
        need(w.controller.stop() == 0, "the controller did not stop cleanly")
        w.controller.start()
        trace = w.over(asked["id"])
        need(trace["state"] == "done" and trace["cycles_done"] == 8, f"{trace}")
        has_one_hop(trace["path"])


def fails_with_its_reason(w: World) -> None:
    with w.agent:
        w.agent.comes_on()
        gone = w.over(w.ask(interface="nosuch0", cycles=1)["id"])
        need(gone["state"] in ("done", "failed") and "nosuch0" in gone["reason"], f"{gone}")
        name = w.over(w.ask(target="no-such-host.invalid", cycles=1)["id"])
        need(name["state"] in ("done", "failed") and "no-such-host.invalid" in name["reason"], f"{name}")


def refused(w: World) -> None:
    body = {"agent": w.agent_id, "target": "a b", "max_hops": 65, "cycles": 0, "period_ms": 5, "flows": 3, "size": True, "nonsense": 1}
    answer = w.root.post(f"{w.base}/traces", body).expect(422)
    need({"target", "cycles", "period_ms", "size", "nonsense"} <= answer.fields, f"{answer.fields}")
    answer = w.root.post(f"{w.base}/traces", {"agent": w.agent_id, "target": "127.0.0.1", "max_hops": 65, "flows": 3}).expect(422)
    need({"max_hops", "flows"} <= answer.fields, f"{answer.fields}")
    made = w.root.post(f"{w.base}/agents", {"name": "busy"}).expect(201).json["agent"]["id"]
    for _ in range(8):
        w.root.post(f"{w.base}/traces", {"agent": made, "target": "127.0.0.1"}).expect(201)
    w.root.post(f"{w.base}/traces", {"agent": made, "target": "127.0.0.1"}).expect(409)
    newest = w.root.get(f"{w.base}/traces", query={"limit": 3}).expect(200).json
    need(len(newest["items"]) == 3 and newest["next_cursor"], "no page")
    more = w.root.get(f"{w.base}/traces", query={"limit": 3, "cursor": newest["next_cursor"]}).expect(200).json["items"]
    need(not {t["id"] for t in more} & {t["id"] for t in newest["items"]}, "a page begins with what the one before had")


def run(build: Path, scratch: Path, tally: Tally) -> None:
    checks = (("a trace from asking to its path", traced), ("told as it goes", told_as_it_goes),
              ("waits for its agent", waits_for_its_agent), ("cancelled while waiting and while running", cancelled),
              ("survives a restart of the controller", survives_a_restart), ("fails with its reason", fails_with_its_reason))
    with Controller(build, scratch) as controller:
        w = World(controller)
        for name, check in checks:
            tally.check(f"traces {name}", lambda check=check: as_root(check, w))
        tally.check("traces one cancelled is so at once", lambda: cancelled_at_once(w))
        tally.check("traces bad wishes are refused", lambda: refused(w))


def as_root(check, w: World) -> None:
    if os.geteuid() != 0:
        raise Skipped("raw sockets: needs root")
    check(w)
