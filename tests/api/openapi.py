"""The document and the controller say the same: the same operations, and answers of the documented form."""

import csv
import sqlite3
import subprocess
import time
from pathlib import Path

from contract import Contract
from harness import API, PASSWORD, Client, Controller, Skipped, Tally, need, wait_for
from websocket import WebSocket

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/openapi.yaml"
UNDESCRIBED = ("/agent/v1/", "/healthz", "/readyz", "/metrics", "/install.sh", "/download/")  # for agents and orchestrators, not for the panel


def route_table(controller: Controller) -> dict[tuple[str, str], str]:
    """(method, pattern) to permission, of the routes under /api/v1, patterns as in the document."""
    lines = [line.split() for line in controller.must("routes").splitlines()]
    return {(method, pattern.removeprefix(API)): permission for method, pattern, permission in lines
            if not pattern.startswith(UNDESCRIBED)}


class Scenario:
    """One workspace with a measuring agent, two probes and an invitation; answers are held against the contract."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.contract = Contract(DOCUMENT)
        self.agent_process: subprocess.Popen | None = None
        self.root = Client(controller.port)

    def ok(self, method: str, pattern: str, body=None, **more):
        return self.contract.call(self.root, method, pattern, body, **more).expect(200, 201, 204)

    def set_up(self) -> None:
        self.ok("GET", "/setup")
        token = self.controller.setup_token()
        self.root.signed_in(self.ok("POST", "/setup", {"token": token, "email": "root@example.org", "name": "Root",
                                                       "password": PASSWORD, "workspace_name": "Alpha"}))
        self.w = {"workspace": self.root.me["memberships"][0]["workspace"]["id"]}

    def agents_and_probes(self) -> None:
        made = self.ok("POST", "/workspaces/{workspace}/agents", {"name": "edge", "site": "north", "labels": ["core"]}, **self.w).json
        self.agent, self.enrolment = self.w | {"agent": made["agent"]["id"]}, made["enrolment"]
        settings = {"target": "127.0.0.1", "interval": 1000, "packets": 2, "timeout": 500}
        items = self.ok("POST", "/workspaces/{workspace}/probes", {"kind": "ping", "agent_id": made["agent"]["id"],
                                                                   "settings": settings}, **self.w).json["items"]
        self.probe = self.w | {"probe": items[0]["id"]}
        many = {"kind": "ping", "agent_ids": [made["agent"]["id"]], "name": "paused", "enabled": False, "settings": {"target": "127.0.0.2"}}
        self.paused = self.w | {"probe": self.ok("POST", "/workspaces/{workspace}/probes", many, **self.w).json["items"][0]["id"]}
        self.target = self.w | {"target": items[0]["target"]["id"]}

    def measure(self) -> None:
        """A real agent, until its first result is stored."""
        data = self.controller.scratch / "agent"
        enrol = [self.controller.agent_program, "enroll", "--controller", self.controller.base, "--token", self.enrolment["token"],
                 "--data-dir", data]
        subprocess.run(enrol, check=True, capture_output=True, timeout=60)
        self.start_agent()
        wait_for("a measured result", lambda: self.ok("GET", "/workspaces/{workspace}/probes/{probe}", **self.probe).json["latest"])

    def start_agent(self) -> None:
        with (self.controller.scratch / "agent.log").open("a") as log:
            self.agent_process = subprocess.Popen([self.controller.agent_program, "run", "--data-dir", self.controller.scratch / "agent"],
                                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def range(self) -> dict:
        now = int(time.time() * 1e6)
        return {"from": now - 600_000_000, "to": now + 60_000_000}

    def close(self) -> None:
        if self.agent_process and self.agent_process.poll() is None:
            self.agent_process.kill()
            self.agent_process.wait()


def same_operations(s: Scenario) -> None:
    table = route_table(s.controller)
    document = {key: item["x-permission"] for key, item in s.contract.operations().items()}
    missing = [f"{m} {p} is not documented" for m, p in table.keys() - document.keys()]
    surplus = [f"{m} {p} is documented only" for m, p in document.keys() - table.keys()]
    other = [f"{m} {p} needs {table[m, p]}, documented {document[m, p]}" for m, p in table.keys() & document.keys()
             if table[m, p] != document[m, p]]
    need(not missing + surplus + other, "; ".join(sorted(missing + surplus + other)))
    public = {key for key, item in s.contract.operations().items() if {} in item.get("security", [{"x": 0}]) or item.get("security") == []}
    need(public == {key for key, permission in table.items() if permission == "none"}, "`security` and `x-permission: none` disagree")


def reads(s: Scenario) -> None:
    for pattern in ("/session", "/sessions", "/workspaces", "/kinds", "/instance", "/downloads", "/instance/audit", "/instance/audit.csv"):
        s.ok("GET", pattern)
    for end in ("", "/members", "/invites", "/roles", "/agents", "/probes", "/targets", "/audit", "/audit.csv"):
        s.ok("GET", "/workspaces/{workspace}" + end, **s.w)
    s.ok("GET", "/workspaces/{workspace}", workspace="alpha")
    s.ok("GET", "/workspaces/{workspace}/agents/{agent}", **s.agent)
    s.ok("GET", "/workspaces/{workspace}/agents/{agent}/connections", **s.agent)
    s.ok("GET", "/workspaces/{workspace}/agents/{agent}/interfaces/history", **s.agent)
    for end in ("/overview", "/annotations", "/uplinks"):
        s.ok("GET", "/workspaces/{workspace}" + end, query=s.range(), **s.w)
    for probe in (s.probe, s.paused):
        s.ok("GET", "/workspaces/{workspace}/probes/{probe}", **probe)
        for end in ("series", "samples", "samples.csv", "events"):
            s.ok("GET", f"/workspaces/{{workspace}}/probes/{{probe}}/{end}", query=s.range(), **probe)
        s.ok("GET", "/workspaces/{workspace}/probes/{probe}/histogram", query=s.range() | {"column": "rtt"}, **probe)


def interfaces(s: Scenario) -> None:
    """The network of the agent's host, and what a probe may be bound to."""
    pattern, probes = "/workspaces/{workspace}/agents/{agent}/interfaces", "/workspaces/{workspace}/probes"
    spare = s.w | {"agent": s.ok("POST", "/workspaces/{workspace}/agents", {"name": "silent"}, **s.w).json["agent"]["id"]}
    silent = s.ok("GET", pattern, **spare).json
    need(silent["at_us"] is None and not silent["current"] and silent["valid_names"] == [], f"an agent that never reported: {silent}")
    accepted = {"kind": "ping", "agent_id": spare["agent"], "enabled": False, "settings": {"target": "127.0.0.3", "interface": "wwan9"}}
    s.ok("POST", probes, accepted, **s.w)
    s.ok("DELETE", "/workspaces/{workspace}/agents/{agent}", **spare)
    if not s.agent_process:
        raise Skipped("needs the measuring agent")
    wait_for("the agent's report", lambda: s.ok("GET", pattern, **s.agent).json["at_us"])
    report = s.ok("GET", pattern, **s.agent).json
    need(report["current"] and report["hostname"] and not report["truncated"], f"{report}")
    loopback = next(i for i in report["interfaces"] if i["name"] == "lo")
    need(loopback["kind"] == "loopback" and "127.0.0.1" in [a["address"] for a in loopback["addresses"]], f"{loopback}")
    need("lo" not in report["valid_names"], "a probe may be bound to the loopback")
    need(set(report["valid_names"]) == {i["name"] for i in report["interfaces"]} - {"lo"}, f"{report['valid_names']}")
    need(any(r["table"] == "local" and r["type"] == "local" for r in report["routes"]), "no route of the local table")
    need(report["rules"] and report["rules"][0]["action"] == "lookup", f"{report['rules'][:1]}")
    past = s.ok("GET", pattern, query={"at": report["at_us"] - 1}, **s.agent).json
    need(past["at_us"] is None, "there was a report before the first")
    then = s.ok("GET", pattern, query={"at": report["at_us"]}, **s.agent).json
    need(then["interfaces"] == report["interfaces"] and not then["current"], "the report of then is not the report")

    wrong = accepted | {"agent_id": s.agent["agent"]}
    reply = s.contract.call(s.root, "POST", probes, wrong, **s.w).expect(422)
    need(reply.fields == {"settings.interface"}, f"{reply.fields}")
    for name in report["valid_names"]:
        need(name in reply.json["detail"] + str(reply.json["errors"]), f"the error does not list {name}: {reply.json}")
    edit = {"settings": {"interface": "wwan9"}}
    need(s.contract.call(s.root, "PATCH", probes + "/{probe}", edit, **s.paused).expect(422).fields == {"settings.interface"}, "an edit")
    bound = {"settings": {"interface": report["valid_names"][0]}}
    s.ok("PATCH", probes + "/{probe}", bound, **s.paused)
    counted = s.ok("GET", pattern, **s.agent).json["interfaces"]
    need([i["probes"] for i in counted if i["name"] == report["valid_names"][0]] == [1], "the bound probe is not counted")
    s.ok("PATCH", probes + "/{probe}", {"settings": {"interface": ""}}, **s.paused)


def filters(s: Scenario) -> None:
    listed = "/workspaces/{workspace}/probes"
    for query, count in (({}, 2), ({"enabled": "false"}, 1), ({"agent": s.agent["agent"]}, 2), ({"target": s.target["target"]}, 1),
                         ({"kind": "ping"}, 2), ({"q": "paused"}, 1), ({"q": "nothing like it"}, 0)):
        items = s.ok("GET", listed, query=query, **s.w).json["items"]
        need(len(items) == count, f"{query} finds {len(items)} probes instead of {count}")
    first = s.ok("GET", listed, query={"limit": 1}, **s.w).json
    need(first["next_cursor"], "no cursor though there is more")
    second = s.ok("GET", listed, query={"limit": 1, "cursor": first["next_cursor"]}, **s.w).json
    need({i["items"][0]["id"] for i in (first, second)} == {s.probe["probe"], s.paused["probe"]}, "paging does not list each probe once")
    for query, count in (({"status": "pending"}, 0), ({"label": "core"}, 1), ({"label": "none"}, 0)):
        need(len(s.ok("GET", "/workspaces/{workspace}/agents", query=query, **s.w).json["items"]) == count, f"agents by {query}")


def account(s: Scenario) -> None:
    need(s.ok("PATCH", "/account", {"name": "Root II", "preferences": {"theme": "dark", "shortcuts": False}}).json["preferences"]["theme"]
         == "dark", "the theme was not kept")
    s.ok("POST", "/account/password", {"current": PASSWORD, "new": PASSWORD})
    other = s.controller.client().signed_in(s.contract.call(s.controller.client(), "POST", "/session",
                                                            {"email": "root@example.org", "password": PASSWORD}).expect(200))
    listed = s.ok("GET", "/sessions").json["items"]
    need([i["current"] for i in listed].count(True) == 1, "not exactly one current session")
    for item in (i for i in listed if not i["current"]):
        s.ok("DELETE", "/sessions/{session}", session=item["id"])
    s.contract.call(other, "GET", "/session").expect(401)
    third = s.controller.client().sign_in("root@example.org")
    s.contract.call(third, "DELETE", "/session").expect(204)
    s.contract.call(third, "GET", "/session").expect(401)


def members(s: Scenario) -> None:
    made = s.ok("POST", "/workspaces/{workspace}/invites", {"email": "vera@example.org", "role": "viewer"}, **s.w).json
    token, stranger = made["url"].rpartition("/")[2], s.controller.client()
    s.ok("GET", "/workspaces/{workspace}/invites", **s.w)
    s.contract.call(stranger, "GET", "/invites/{token}", token=token).expect(200)
    stranger.signed_in(s.contract.call(stranger, "POST", "/invites/{token}", {"name": "Vera", "password": PASSWORD}, token=token).expect(200))
    s.contract.call(stranger, "GET", "/invites/{token}", token=token).expect(404)
    vera = s.w | {"user": stranger.user}
    s.ok("PATCH", "/workspaces/{workspace}/members/{user}", {"role": "operator"}, **vera)
    need(s.contract.call(stranger, "GET", "/session").json["memberships"][0]["role"] == "operator", "the new role is not in force")
    s.ok("DELETE", "/workspaces/{workspace}/members/{user}", **vera)
    again = s.ok("POST", "/workspaces/{workspace}/invites", {"email": "vera@example.org", "role": "viewer"}, **s.w).json
    need(s.contract.call(stranger, "GET", "/invites/{token}", token=again["url"].rpartition("/")[2]).json["has_account"], "has_account")
    s.contract.call(stranger, "POST", "/invites/{token}", {}, token=again["url"].rpartition("/")[2]).expect(200)
    third = s.ok("POST", "/workspaces/{workspace}/invites", {"email": "otto@example.org", "role": "admin"}, **s.w).json
    s.ok("DELETE", "/workspaces/{workspace}/invites/{invite}", invite=third["invite"]["id"], **s.w)


def edits(s: Scenario) -> None:
    s.ok("PATCH", "/workspaces/{workspace}", {"name": "Alpha Works", "settings": {"time_zone": "Europe/Berlin"}}, **s.w)
    s.ok("PATCH", "/workspaces/{workspace}/agents/{agent}", {"site": "south", "labels": []}, **s.agent)
    s.ok("PATCH", "/workspaces/{workspace}/targets/{target}", {"name": "loopback", "labels": ["self"]}, **s.target)
    s.ok("PATCH", "/workspaces/{workspace}/probes/{probe}", {"name": "idle", "settings": {"packets": 3}}, **s.paused)
    s.ok("DELETE", "/workspaces/{workspace}/probes/{probe}", **s.paused)
    s.contract.call(s.root, "GET", "/workspaces/{workspace}/probes/{probe}", **s.paused).expect(404)
    s.ok("POST", "/workspaces/{workspace}/probes/{probe}/restore", **s.paused)
    spare = s.w | {"agent": s.ok("POST", "/workspaces/{workspace}/agents", {"name": "spare"}, **s.w).json["agent"]["id"]}
    s.ok("POST", "/workspaces/{workspace}/agents/{agent}/enrolment", **spare)
    s.ok("POST", "/workspaces/{workspace}/agents/{agent}/revoke", **spare)
    s.ok("DELETE", "/workspaces/{workspace}/agents/{agent}", **spare)
    s.ok("POST", "/workspaces/{workspace}/agents/{agent}/restore", **spare)
    for _ in range(2):
        builtin = s.w | {"agent": s.ok("POST", "/workspaces/{workspace}/agents/builtin", {"name": "controller"}, **s.w).json["id"]}
    s.ok("DELETE", "/workspaces/{workspace}/agents/{agent}", **builtin)
    made = s.ok("POST", "/workspaces", {"name": "Gamma"}).json
    s.ok("DELETE", "/workspaces/{workspace}", workspace=made["id"])
    s.contract.call(s.root, "GET", "/workspaces/{workspace}", workspace=made["id"]).expect(404)
    s.ok("PATCH", "/instance", {"name": "Here"})


def annotations(s: Scenario) -> None:
    base, now = "/workspaces/{workspace}/annotations", int(time.time() * 1e6)
    made = s.ok("POST", base, {"probe": s.probe["probe"], "at_us": now - 30_000_000, "text": "works on the line"}, **s.w)
    one = s.w | {"annotation": made.json["id"]}
    need(made.json["author"], "no author")
    everywhere = s.ok("POST", base, {"at_us": now - 50_000_000, "until_us": now - 20_000_000, "text": "storm"}, **s.w).json
    changed = s.ok("PATCH", base + "/{annotation}", {"text": "works done", "until_us": now}, headers={"If-Match": made.headers["ETag"]}, **one)
    need((changed.json["text"], changed.json["until_us"]) == ("works done", now), "the change was not kept")
    s.contract.call(s.root, "PATCH", base + "/{annotation}", {"text": "late"}, headers={"If-Match": made.headers["ETag"]}, **one).expect(412)

    def noted(probe: dict) -> list[str]:
        items = s.ok("GET", "/workspaces/{workspace}/probes/{probe}/events", query=s.range(), **probe).json["items"]
        need(items == sorted(items, key=lambda e: e["at_us"]), "events are not in the order of time")
        return [e["text"] for e in items if e["kind"] == "annotation"]

    need(noted(s.probe) == ["storm", "works done"] and noted(s.paused) == ["storm"], f"{noted(s.probe)}, {noted(s.paused)}")
    s.ok("DELETE", base + "/{annotation}", **one)
    need(noted(s.probe) == ["storm"], "a deleted annotation is still an event")
    s.contract.call(s.root, "PATCH", base + "/{annotation}", {"text": "x"}, **one).expect(404)
    s.ok("POST", base + "/{annotation}/restore", **one)
    need(noted(s.probe) == ["storm", "works done"], "a restored annotation is no event")
    audited = [e["action"] for e in s.ok("GET", "/workspaces/{workspace}/audit", query={"action": "annotation."}, **s.w).json["items"]]
    need(audited == [f"annotation.{a}" for a in ("restore", "delete", "update", "create", "create")], f"audited: {audited}")
    s.ok("DELETE", base + "/{annotation}", annotation=everywhere["id"], **s.w)


def events(s: Scenario) -> None:
    """Agent and configuration on the probe's charts; what is changed is named, without the settings that stay."""
    if not s.agent_process:
        raise Skipped("needs the measuring agent")
    s.ok("PATCH", "/workspaces/{workspace}/probes/{probe}", {"settings": {"timeout": 600}, "enabled": False}, **s.probe)
    s.ok("PATCH", "/workspaces/{workspace}/probes/{probe}", {"enabled": True}, **s.probe)

    def found() -> list[dict]:
        return s.ok("GET", "/workspaces/{workspace}/probes/{probe}/events", query=s.range(), **s.probe).json["items"]

    need([e["detail"] for e in found() if e["kind"] == "probe_changed"]
         == [{"enabled": [True, False], "settings.timeout": [500, 600]}, {"enabled": [False, True]}], f"{found()}")
    kinds = [e["kind"] for e in found()]
    need("probe_created" in kinds and "agent_connected" in kinds, f"kinds: {kinds}")
    s.close()
    s.start_agent()
    wait_for("the restarted agent among the events", lambda: [e["kind"] for e in found() if e["kind"].startswith("agent_")][-2:]
             == ["agent_disconnected", "agent_restarted"])
    need(not [e for e in found() if e["kind"].startswith("agent_") and not e["text"]], "no version, or no reason")


def traces(s: Scenario) -> None:
    """The trace of an agent that never comes; tests/api/traces.py has those that run."""
    base = "/workspaces/{workspace}/traces"
    agent = s.ok("POST", "/workspaces/{workspace}/agents", {"name": "absent"}, **s.w).json["agent"]["id"]
    asked = s.ok("POST", base, {"agent": agent, "target": "192.0.2.1", "flows": 4, "protocol": "udp"}, **s.w).json
    one = s.w | {"trace": asked["id"]}
    need(s.ok("GET", base + "/{trace}", **one).json == asked, "a trace is not what was asked for")
    need(s.ok("GET", base, query={"agent": agent}, **s.w).json["items"] == [asked], "the list has another trace")
    s.ok("DELETE", base + "/{trace}", **one)
    ended = s.ok("GET", base + "/{trace}", **one).json
    need(ended["state"] == "cancelled" and ended["ended_us"], f"cancelled, it is {ended['state']}")
    s.contract.call(s.root, "DELETE", base + "/{trace}", **one).expect(409)
    s.contract.call(s.root, "GET", base + "/{trace}", trace="act_0000000000000", **s.w).expect(404)
    audited = [e["action"] for e in s.ok("GET", "/workspaces/{workspace}/audit", query={"action": "trace."}, **s.w).json["items"]]
    need(audited == ["trace.cancel", "trace.start"], f"audited: {audited}")


PATHS = "/workspaces/{workspace}/probes/{probe}/path"


def path_probe(s: Scenario) -> dict:
    settings = {"target": "127.0.0.1", "interval": 1000, "cycles": 2, "flows": "1", "protocol": "icmp"}
    made = s.ok("POST", "/workspaces/{workspace}/probes", {"kind": "path", "agent_id": s.agent["agent"], "settings": settings}, **s.w)
    return s.w | {"probe": made.json["items"][0]["id"]}


def paths(s: Scenario) -> None:
    """Of a probe without a run, then of real runs; another kind has none."""
    route = path_probe(s)
    empty = s.ok("GET", PATHS, query={"at": 1_000_000_000}, **route).json
    need(empty["runs"] == 0 and empty["hops"] == [] and empty["reached"] is None, f"a path before there was any: {empty}")
    for end, query in (("", {}), ("/changes", s.range()), ("/diff", {"before": 1, "after": 2})):
        s.contract.call(s.root, "GET", PATHS + end, query=query, **s.probe).expect(409)
    if not s.agent_process:
        raise Skipped("needs the measuring agent")
    found = wait_for("runs of the path probe", lambda: (p := s.ok("GET", PATHS, **route).json)["runs"] >= 3 and p)
    need(found["reached"] and found["target"]["address"] == "127.0.0.1" and found["agent"]["name"] == "edge", f"{found}")
    last = found["hops"][-1]
    need(last["last"] and last["answer"] == "arrived" and last["sent"] == 2 * found["runs"] and last["grade"] == "excellent", f"{last}")
    need(len(last["recent_us"]) == found["runs"] and last["rtt"]["min_us"] <= last["rtt"]["mean_us"] <= last["rtt"]["max_us"], f"{last}")
    need([p["hops"] for p in found["paths"]] == [[h["id"] for h in found["hops"]]] and found["paths"][0]["share"] == 1, "not one path")
    earlier = s.ok("GET", PATHS, query={"at": found["first_run_us"], "window": 60}, **route).json
    need(earlier["runs"] == 1 and earlier["last_run_us"] == found["first_run_us"], f"the first run by itself: {earlier['runs']} runs")
    later = s.ok("GET", PATHS, query={"at": found["last_run_us"] + 7_200_000_000}, **route).json
    need(later["runs"] == 1 and later["last_run_us"] >= found["last_run_us"], "the newest earlier run was not found")
    diff = s.ok("GET", PATHS + "/diff", query={"before": found["first_run_us"], "after": found["last_run_us"]}, **route).json
    need(diff["same"] and not diff["added"] + diff["removed"] and len(diff["changed"]) == len(found["hops"]), f"{diff}")
    history = s.ok("GET", PATHS + "/changes", query=s.range(), **route).json
    need(history["changes"] == [] and history["stability"] == 1 and len(history["routes"]) == 1, f"{history}")
    need(history["routes"][0]["hops"][-1] == ["127.0.0.1"] and history["routes"][0]["runs"] == history["runs"], f"{history}")
    exported = s.ok("GET", "/workspaces/{workspace}/probes/{probe}/samples.csv", query=s.range() | {"table": "hops"}, **route).body
    hop = next(csv.DictReader(exported.decode().splitlines()))
    need((hop["address"], hop["answer"], hop["verdict"], hop["sent"]) == ("127.0.0.1", "arrived", "none", "2"), f"exported: {hop}")


def route_changes(s: Scenario) -> None:
    """A change that is in the store is in the probe's changes and events, on the map's timeline and in the overview."""
    route, at = path_probe(s), int(time.time() * 1e6) - 120_000_000
    hop = '[{"ttl":2,"address":"192.0.2.%d","name":"<b>core</b>"}]'
    number = s.controller.rows("SELECT id, workspace FROM probe ORDER BY id DESC LIMIT 1")[0]
    with sqlite3.connect(s.controller.data / "metadata.db", timeout=10) as db:
        db.execute("INSERT INTO path_change (workspace, probe, at_us, confirmed_us, added, removed, before, after, hops_before, hops_after) "
                   "VALUES (?, ?, ?, ?, ?, ?, x'0101040a000001', x'0101040a000002', 1, 1)",
                   (number[1], number[0], at, at + 2_000_000, hop % 1, hop % 2))
    changes = s.ok("GET", PATHS + "/changes", query=s.range(), **route).json["changes"]
    need(len(changes) == 1 and changes[0]["added"][0]["name"] == "<b>core</b>" and changes[0]["before"] != changes[0]["after"], f"{changes}")
    event = [e for e in s.ok("GET", "/workspaces/{workspace}/probes/{probe}/events", query=s.range(), **route).json["items"]
             if e["kind"] == "route_change"]
    need([(e["at_us"], e["text"], e["detail"]) for e in event]
         == [(at, "1 hop added, 1 removed", {"added": ["192.0.2.1"], "removed": ["192.0.2.2"]})], f"{event}")
    listed = s.ok("GET", "/workspaces/{workspace}/overview", query=s.range(), **s.w).json["route_changes"]
    need([c["probe"] for c in listed] == [route["probe"]] and listed[0]["change"] == changes[0], f"{listed}")
    ticks = s.ok("GET", "/workspaces/{workspace}/topology/timeline", query=s.range() | {"buckets": 50}, **s.w).json
    need([(c["probe"], c["added"], c["target"]) for c in ticks["changes"]] == [(route["probe"], 1, "127.0.0.1")], f"{ticks['changes']}")
    need(len(ticks["grades"]) <= 50, f"{len(ticks['grades'])} buckets")
    s.ok("DELETE", "/workspaces/{workspace}/probes/{probe}", **route)
    need(not s.ok("GET", "/workspaces/{workspace}/overview", query=s.range(), **s.w).json["route_changes"], "of a deleted probe")


def picture(topology: dict) -> dict:
    """What the map holds, but the moment it was asked for."""
    paths: dict[str, list] = {}
    for path in topology["paths"]:
        paths.setdefault(path["probe"], []).append(path)
    return {"nodes": {n["id"]: n for n in topology["nodes"]}, "edges": {e["id"]: e for e in topology["edges"]}, "paths": paths}


def apply(seen: dict, event: dict) -> None:
    for what in ("nodes", "edges"):
        for gone in event["removed"][what]:
            seen[what].pop(gone, None)
        seen[what] |= {item["id"]: item for item in event[what]}
    for probe in event["removed"]["paths"]:
        seen["paths"].pop(probe, None)
    seen["paths"] |= picture(event)["paths"]


def network_map(s: Scenario) -> None:
    """Deltas lead from one picture to the next, probes come and go; the past is drawn from stored runs."""
    where = "/workspaces/{workspace}/topology"
    s.ok("GET", where, **s.w)
    if not s.agent_process:
        raise Skipped("needs the measuring agent")
    with WebSocket(s.root) as socket:
        answer = socket.ask({"type": "subscribe", "id": 1, "workspace": s.w["workspace"], "topic": "topology"})
        need(answer[-1]["type"] == "subscribed", f"{answer}")
        first = s.ok("GET", where, **s.w).json
        need(first["live"] and {"agent", "target"} <= {n["kind"] for n in first["nodes"]}, f"{first['nodes']}")
        spare = path_probe(s)
        seen, generation = picture(first), first["generation"]

        def follow() -> None:
            nonlocal generation
            for message in socket.until(lambda m: m["type"] == "event"):
                s.contract.validate_named(message, "LiveServerMessage", "a delta")
                for event in message.get("events", []):
                    if event["previous"] != generation:
                        need(generation == first["generation"] and event["generation"] == generation, f"{event['previous']} after {generation}")
                        continue  # what brought the watchers to the generation that was read
                    apply(seen, event)
                    generation = event["generation"]

        while spare["probe"] not in seen["paths"]:
            follow()
        s.ok("DELETE", "/workspaces/{workspace}/probes/{probe}", **spare)
        while spare["probe"] in seen["paths"]:
            follow()
        second = s.ok("GET", where, **s.w).json
        while generation != second["generation"]:
            follow()
        need(seen == picture(second), f"the deltas lead elsewhere: {seen} instead of {picture(second)}")
    past = s.ok("GET", where, query={"at": second["at_us"], "window": 120}, **s.w).json
    need(not past["live"] and {n["id"] for n in past["nodes"]} == {n["id"] for n in second["nodes"]}, f"{past['nodes']}")
    place_series(s, second)
    ticks = s.ok("GET", where + "/timeline", query=s.range(), **s.w).json
    need("excellent" in ticks["grades"] and not ticks["truncated"], f"{ticks}")


def place_series(s: Scenario, topology: dict) -> None:
    """What a target and the link to it say over time is what was measured there; elsewhere is nothing."""
    where = "/workspaces/{workspace}/topology/series"
    target = next(n for n in topology["nodes"] if n["kind"] == "target" and n["rtt_mean_us"] is not None)
    link = next((e["id"] for e in topology["edges"] if e["target"] == target["id"] and e["delay_us"] is not None), None)
    for of in [target["id"], *([link] if link else [])]:
        got = s.ok("GET", where, query=s.range() | {"of": of, "buckets": 200}, **s.w).json
        known = [i for i, sent in enumerate(got["sent"]) if sent is not None]
        need(got["of"] == of and got["probes"] >= got["probes_read"] >= 1 and got["runs"] >= len(known) > 0, f"{got}")
        need(len({len(got[c]) for c in ("sent", "loss_ratio", "delay_us", "grades")}) == 1, f"{got}")
        need(any(got["loss_ratio"][i] == 0 for i in known) and got["loss_ratio"].count(None) >= len(got["sent"]) - len(known), f"{got}")
    need(got["sent"][-1] is None or got["delay_us"][-1] is not None, f"{got}")
    nothing = s.ok("GET", where, query=s.range() | {"of": "r192.0.2.77"}, **s.w).json
    need(nothing["probes"] == 0 and set(nothing["sent"]) == {None} and not nothing["sampled"], f"{nothing}")
    probe = topology["paths"][0]["probe"]
    named = s.ok("GET", where, query=s.range() | {"of": "r192.0.2.77", "probes": f"{probe},prb_0000000000001"}, **s.w).json
    need(named["probes"] == 1 and named["runs"] > 0 and set(named["sent"]) == {None}, f"{named}")


def every_operation(s: Scenario) -> None:
    never = sorted(set(s.contract.operations()) - s.contract.answered - {("GET", "/live")})
    need(not never, "no answer was seen of " + ", ".join(" ".join(key) for key in never))


def no_session(s: Scenario) -> None:
    for (method, pattern), item in s.contract.operations().items():
        if item["x-permission"] != "none":
            ids = {"workspace": s.w["workspace"], "agent": s.agent["agent"], "probe": s.probe["probe"], "target": s.target["target"],
                   "user": s.root.user, "invite": s.w["workspace"], "session": s.w["workspace"], "annotation": s.w["workspace"],
                   "trace": s.w["workspace"]}
            s.contract.call(s.controller.client(), method, pattern, **ids).expect(401)


def lost_race(s: Scenario) -> None:
    for pattern, ids, body in (("/workspaces/{workspace}", s.w, {"name": "Alpha"}), ("/workspaces/{workspace}/agents/{agent}", s.agent, {"site": "x"}),
                               ("/workspaces/{workspace}/probes/{probe}", s.paused, {"name": "y"})):
        tag = s.ok("GET", pattern, **ids).headers["ETag"]
        fresh = s.ok("PATCH", pattern, body, headers={"If-Match": tag}, **ids).headers["ETag"]
        need(fresh != tag, f"{pattern}: a change keeps its ETag")
        s.contract.call(s.root, "PATCH", pattern, body, headers={"If-Match": tag}, **ids).expect(412)
        if pattern != "/workspaces/{workspace}":
            s.contract.call(s.root, "DELETE", pattern, headers={"If-Match": tag}, **ids).expect(412)


def conflicts(s: Scenario) -> None:
    setup = {"token": "x" * 40, "email": "a@example.org", "name": "A", "password": PASSWORD, "workspace_name": "B"}
    s.contract.call(s.root, "POST", "/setup", setup).expect(409)
    me = s.w | {"user": s.root.user}
    s.contract.call(s.root, "PATCH", "/workspaces/{workspace}/members/{user}", {"role": "viewer"}, **me).expect(409)
    s.contract.call(s.root, "DELETE", "/workspaces/{workspace}/members/{user}", **me).expect(409)


WRONG = (  # method, pattern, body or query, the fields that must be named
    ("POST", "/workspaces/{workspace}/agents", {}, {"name"}),
    ("POST", "/workspaces/{workspace}/agents", {"name": ""}, {"name"}),
    ("POST", "/workspaces/{workspace}/agents", {"name": "x", "sight": "y"}, {"sight"}),
    ("POST", "/workspaces/{workspace}/agents", {"name": 7, "labels": "x"}, {"name", "labels"}),
    ("PATCH", "/workspaces/{workspace}/agents/{agent}", {"enabled": "no"}, {"enabled"}),
    ("POST", "/workspaces/{workspace}/probes", {"kind": "ping", "settings": {"target": "a"}}, {"agent_id"}),
    ("POST", "/workspaces/{workspace}/probes", {"kind": "nope", "agent_id": "{agent}", "settings": {"target": "a"}}, {"kind"}),
    ("POST", "/workspaces/{workspace}/probes", {"kind": "ping", "agent_id": "{agent}", "settings": {}}, {"settings.target"}),
    ("POST", "/workspaces/{workspace}/probes", {"kind": "ping", "agent_id": "{agent}", "settings": {"target": "a", "intervall": 1}},
     {"settings.intervall"}),
    ("PATCH", "/workspaces/{workspace}/probes/{probe}", {"settings": {"packets": 0}}, {"settings.packets"}),
    ("PATCH", "/workspaces/{workspace}/targets/{target}", {"name": "x" * 101}, {"name"}),
    ("POST", "/workspaces/{workspace}/invites", {"email": "nobody", "role": "viewer"}, {"email"}),
    ("POST", "/workspaces/{workspace}/invites", {"email": "a@example.org", "role": "king"}, {"role"}),
    ("PATCH", "/workspaces/{workspace}/members/{user}", {"role": "king"}, {"role"}),
    ("PATCH", "/workspaces/{workspace}", {"settings": {"retention": {"raw_days": 0, "five_minute_days": 9, "hour_days": 9}}},
     {"settings.retention.raw_days"}),
    ("PATCH", "/account", {"preferences": {"theme": "pink", "colours": "grey"}}, {"preferences.theme", "preferences.colours"}),
    ("POST", "/workspaces/{workspace}/agents/builtin", {}, {"name"}),
    ("POST", "/account/password", {"current": "not this one", "new": PASSWORD}, {"current"}),
    ("POST", "/account/password", {"current": PASSWORD, "new": "short"}, {"new"}),
    ("POST", "/workspaces", {"name": "n" * 101}, {"name"}),
    ("POST", "/session", {"email": "root@example.org"}, {"password"}),
    ("GET", "/workspaces/{workspace}/agents", {"limit": "0"}, {"limit"}),
    ("GET", "/workspaces/{workspace}/probes", {"limit": "many"}, {"limit"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/series", {"from": "1"}, {"to"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/series", {"from": "1", "to": "2000000", "baseline": "yes"}, {"baseline"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/samples", {"from": "1", "to": "2000000", "values": "true", "limit": "501"}, {"limit"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/events", {"from": "1"}, {"to"}),
    ("POST", "/workspaces/{workspace}/annotations", {}, {"at_us", "text"}),
    ("POST", "/workspaces/{workspace}/annotations", {"at_us": 5, "until_us": 5, "text": "x", "probe": "prb_nope"}, {"until_us", "probe"}),
    ("POST", "/workspaces/{workspace}/annotations", {"at_us": "now", "text": "x" * 501}, {"at_us", "text"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/path", {"at": "now"}, {"at"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/path", {"window": "59"}, {"window"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/path/diff", {"before": "1"}, {"after"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/path/changes", {"to": "1"}, {"from"}),
    ("GET", "/workspaces/{workspace}/topology", {"at": "-1"}, {"at"}),
    ("GET", "/workspaces/{workspace}/topology/timeline", {"from": "1", "to": "2", "buckets": "201"}, {"buckets"}),
    ("GET", "/workspaces/{workspace}/topology/series", {"from": "1", "to": "2000000"}, {"of"}),
    ("GET", "/workspaces/{workspace}/topology/series", {"from": "1", "to": "2000000", "of": "x01"}, {"of"}),
    ("GET", "/workspaces/{workspace}/topology/series", {"of": "r192.0.2.1", "to": "2000000"}, {"from"}),
    ("GET", "/workspaces/{workspace}/topology/series", {"from": "1", "to": "2000000", "of": "r192.0.2.1", "buckets": "201"}, {"buckets"}),
    ("GET", "/workspaces/{workspace}/topology/series", {"from": "1", "to": "2000000", "of": "r192.0.2.1", "probes": "agt_0"}, {"probes"}),
    ("GET", "/workspaces/{workspace}/agents/{agent}/interfaces", {"at": "now"}, {"at"}),
    ("GET", "/workspaces/{workspace}/agents/{agent}/interfaces/history", {"from": "x"}, {"from"}),
    ("GET", "/workspaces/{workspace}/agents/{agent}/interfaces/history", {"cursor": "x"}, {"cursor"}),
    ("GET", "/workspaces/{workspace}/uplinks", {"from": "1"}, {"to"}),
    ("GET", "/workspaces/{workspace}/overview", {"from": "x", "to": "2"}, {"from"}),
    ("GET", "/workspaces/{workspace}/probes/{probe}/histogram", {"from": "1", "to": "2000000", "column": "nope"}, {"column"}),
)


def wrong_fields(s: Scenario, method: str, pattern: str, given: dict, fields: set[str]) -> None:
    ids = s.agent | s.probe | s.target | {"annotation": s.w["workspace"], "trace": s.w["workspace"], "user": s.root.user}
    filled = {k: (ids["agent"] if v == "{agent}" else v) for k, v in given.items()}
    more = {"query": filled} if method == "GET" else {"body": filled}
    reply = s.contract.call(s.root, method, pattern, **more, **ids).expect(422)
    need(reply.fields == fields, f"{reply.request} {given}: names {sorted(reply.fields)} instead of {sorted(fields)}")


def malformed(s: Scenario) -> None:
    agents = API + f"/workspaces/{s.w['workspace']}/agents"
    cases = ((400, "POST", agents, b"{", {}), (400, "POST", agents, b'{"name":"a"} x', {}), (400, "POST", agents, b'\xff\xfe', {}),
             (415, "POST", agents, b'{"name":"a"}', {"Content-Type": "text/plain"}), (415, "POST", agents, b'{"name":"a"}', {"Content-Type": None}),
             (405, "PUT", agents, None, {}), (405, "DELETE", API + "/kinds", None, {}), (404, "GET", API + "/nothing", None, {}),
             (403, "POST", agents, b'{"name":"a"}', {"X-CSRF-Token": None}), (400, "GET", API + "/live", None, {}),
             (413, "POST", agents, b'"' + b"x" * 3_000_000 + b'"', {}))
    for status, method, path, raw, headers in cases:
        s.contract.check_problem(s.root.call(method, path, raw=raw, headers=headers).expect(status))


def head(s: Scenario) -> None:
    get, headed = s.root.get("/kinds").expect(200), s.root.call("HEAD", API + "/kinds").expect(200)
    need(not headed.body and headed.headers["Content-Length"] == get.headers["Content-Length"], "HEAD and GET differ")
    # A streamed answer has no length before it was made.
    audit = s.root.call("HEAD", API + f"/workspaces/{s.w['workspace']}/audit.csv").expect(200)
    need(not audit.body and "Content-Length" not in audit.headers, f"HEAD of a stream tells a length: {audit.headers}")
    need(len(s.root.get("/kinds").expect(200).body) == len(get.body), "the connection is out of step after HEAD")


def live(s: Scenario) -> None:
    if not s.agent_process:
        raise Skipped("needs the measuring agent")
    with WebSocket(s.root) as socket:
        for number, topic in ((1, "agents"), (2, "probes"), (3, "probe")):
            ask = {"type": "subscribe", "id": number, "workspace": s.w["workspace"], "topic": topic}
            seen = socket.ask(ask | ({"probe": s.probe["probe"]} if topic == "probe" else {}))
            need(seen[-1]["type"] == "subscribed", f"{topic}: {seen[-1]}")
        s.ok("PATCH", "/workspaces/{workspace}/agents/{agent}", {"site": "live"}, **s.agent)
        wanted, seen = {"agent", "probe", "samples"}, []
        while not wanted <= {e["type"] for m in seen for e in m.get("events", [])}:
            seen.append(socket.receive())
            s.contract.validate_named(seen[-1], "LiveServerMessage", "a live message")
        for bad in ({"type": "subscribe", "id": 9, "workspace": s.w["workspace"], "topic": "weather"}, {"type": "unsubscribe", "id": 77}):
            answer = socket.ask(bad)[-1]
            s.contract.validate_named(answer, "LiveServerMessage", "a live error")
            need(answer["type"] == "error", f"{bad}: {answer}")


def live_without_a_hole(s: Scenario) -> None:
    """A panel whose connection breaks again and again has seen every run once, in whichever socket it came."""
    if not s.agent_process:
        raise Skipped("needs the measuring agent")
    ask = {"type": "subscribe", "id": 1, "workspace": s.w["workspace"], "topic": "probe", "probe": s.probe["probe"]}
    seen, cursor = [], None

    def take(messages: list[dict]) -> None:
        nonlocal cursor
        for message in messages:
            need(message["type"] != "reset", "a short absence led to a reset")
            cursor = message["cursor"]
            seen.extend(at for event in message.get("events", []) if event["type"] == "samples" for at in event["rows"]["at_us"])

    for _ in range(5):
        with WebSocket(s.root) as socket:
            take(socket.ask(ask | ({"after": cursor} if cursor else {})))
            take(socket.until(lambda m: m["type"] == "event"))
        stored = len(s.ok("GET", "/workspaces/{workspace}/probes/{probe}/samples", query=s.range(), **s.probe).json["rows"]["at_us"])
        wait_for("a run while nobody listens", lambda before=stored: len(
            s.ok("GET", "/workspaces/{workspace}/probes/{probe}/samples", query=s.range(), **s.probe).json["rows"]["at_us"]) > before)
    with WebSocket(s.root) as socket:
        take(socket.ask(ask | {"after": cursor}))
        take(socket.until(lambda m: m["type"] == "event"))
    need(len(seen) == len(set(seen)), "a run came twice")
    rows = s.ok("GET", "/workspaces/{workspace}/probes/{probe}/samples", query=s.range(), **s.probe).json["rows"]["at_us"]
    between = [at for at in rows if min(seen) <= at <= max(seen)]
    need(sorted(seen) == between and len(between) >= 6, f"{len(seen)} runs came over the WebSocket, {len(between)} were stored meanwhile")
    with WebSocket(s.root) as socket:
        need(socket.ask(ask | {"after": "of.nobody"})[-1]["type"] == "reset", "an unknown cursor is no reset")


def series_has_data(s: Scenario) -> None:
    if not s.agent_process:
        raise Skipped("needs the measuring agent")
    answer = s.ok("GET", "/workspaces/{workspace}/probes/{probe}/series", query=s.range(), **s.probe).json
    columns = [answer[n] for n in ("start_us", "runs", "grade", "grade_reason", "loss_grade", "lost_declared")]
    columns += [*answer["metrics"].values(), *answer["outcomes"].values(), *(c for q in answer["quantiles"].values() for c in q["values"])]
    need(all(len(c) == answer["count"] for c in columns), "columns are not of `count` entries")
    need(sum(answer["runs"]) == answer["summary"]["runs"] > 0, "the buckets' runs are not the summary's")
    rows = s.ok("GET", "/workspaces/{workspace}/probes/{probe}/samples", query=s.range(), **s.probe).json
    need(all(len(c) == rows["count"] for c in [*rows["rows"]["columns"].values(), rows["rows"]["at_us"]]), "rows' columns are not of `count` entries")
    need(rows["rows"]["columns"]["sent"][0] == 2, "the probe sends 2 packets")
    packets = s.ok("GET", "/workspaces/{workspace}/probes/{probe}/samples", query=s.range() | {"values": "true"}, **s.probe).json
    for low, high, received, values in zip(*(packets["rows"]["columns"][n] for n in ("rtt_min", "rtt_max", "received")), packets["values"]["rtt"]):
        need(len(values) == received, f"{received} replies, {len(values)} values")
        need(not values or low * 0.99 - 1 <= values[0] <= values[-1] <= high * 1.01 + 1, f"{values} outside of {low} to {high}")
    week = s.ok("GET", "/workspaces/{workspace}/probes/{probe}/series", query=s.range() | {"baseline": "true"}, **s.probe).json["baseline"]
    need(all(week[n] == [None] * len(week["mean"]) for n in ("mean", "sigma", "deviation")), "a baseline without a week before")


def run(build: Path, scratch: Path, tally: Tally) -> None:
    with Controller(build, scratch) as controller:
        s = Scenario(controller)
        try:
            tally.check("openapi operations and permissions are the documented ones", lambda: same_operations(s))
            s.set_up()
            s.agents_and_probes()
            tally.check("openapi an agent enrols and measures", s.measure)
            steps = (("answers to reads", reads), ("series and samples agree in shape", series_has_data), ("interfaces of an agent", interfaces), ("lists, filters and pages", filters),
                     ("account and sessions", account), ("members and invites", members), ("edits, deletion, restoring", edits), ("annotations", annotations), ("traces", traces),
                     ("events of a probe", events), ("paths", paths), ("the map", network_map), ("route changes", route_changes),
                     ("every operation was answered as documented", every_operation), ("401 without a session", no_session),
                     ("412 after a lost race", lost_race), ("409 conflicts", conflicts), ("400, 403, 404, 405, 413, 415", malformed),
                     ("HEAD is GET without a body", head), ("live messages", live),
                     ("a live stream that breaks has no hole", live_without_a_hole))
            for name, step in steps:
                tally.check(f"openapi {name}", lambda step=step: step(s))
            for method, pattern, given, fields in WRONG:
                tally.check(f"openapi 422 {method} {pattern} names {','.join(sorted(fields))}",
                            lambda row=(method, pattern, given, fields): wrong_fields(s, *row))
        finally:
            s.close()
