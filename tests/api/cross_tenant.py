"""Nobody gets at another workspace: every route of the table x every role, foreign ids everywhere, REST and WebSocket.

Generated from the controller's own route table, so that a new route is swept without anybody thinking of it; a route
with a new kind of id or body fails here until it is described below.
"""

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness import API, Client, Controller, Reply, Tally, need
from openapi import route_table
from websocket import Closed, Refused, WebSocket

ROLES = ("owner", "admin", "operator", "viewer")  # falling
LEAST = {"workspace.read": "viewer", "workspace.write": "admin", "workspace.delete": "owner", "members.read": "viewer",
         "members.write": "admin", "agents.read": "viewer", "agents.write": "operator", "agents.delete": "admin",
         "probes.read": "viewer", "probes.write": "operator", "probes.delete": "admin", "probes.trace": "operator", "audit.read": "admin"}
PREFIX = "/workspaces/{workspace}"


def may(role: str, permission: str) -> bool:
    return ROLES.index(role) <= ROLES.index(LEAST[permission])


@dataclass
class Tenant:
    name: str
    id: str
    slug: str
    users: dict[str, Client] = field(default_factory=dict)  # by role
    ids: dict[str, str] = field(default_factory=dict)  # by the name of the path parameter


def past() -> dict:
    now = int(time.time() * 1e6)
    return {"from": now - 3_600_000_000, "to": now}


def query_of(pattern: str) -> dict | None:
    needed = past() if pattern.endswith(("/series", "/histogram", "/samples", "/samples.csv", "/overview", "/events", "/annotations",
                                                "/path/changes", "/timeline", "/uplinks")) else {}
    if pattern.endswith("/path"):
        needed = {"at": 1_700_000_000_000_000}
    if pattern.endswith("/path/diff"):
        needed = {"before": 1_700_000_000_000_000, "after": 1_700_000_000_000_001}
    if pattern.endswith("/topology/series"):
        needed["of"] = "t192.0.2.9"
    return (needed | ({"column": "rtt"} if pattern.endswith("/histogram") else {})) or None


def new_probe(agent: str) -> dict:
    return {"kind": "ping", "agent_id": agent, "enabled": False, "settings": {"target": "192.0.2.9"}}


class World:
    """Two workspaces, each with a member of every role, an agent, a probe, a target and an invitation; and a stranger."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.table = {key: p for key, p in route_table(controller).items() if p in LEAST}
        self.routes: dict[str, str] = {}  # a probe that has paths, beside each of those that are asked about
        self.root = controller.set_up("Alpha")
        first = self.root.me["memberships"][0]["workspace"]
        second = self.root.post("/workspaces", {"name": "Beta"}).expect(201).json
        self.mine, self.other = (self.fill(Tenant(n, w["id"], w["slug"])) for n, w in (("alpha", first), ("beta", second)))
        self.stranger = controller.join(self.root, self.mine.id, "stranger@example.org", "viewer")
        self.root.delete(f"/workspaces/{self.mine.id}/members/{self.stranger.user}").expect(204)
        self.made = 0

    def fill(self, tenant: Tenant) -> Tenant:
        for role in ROLES:
            tenant.users[role] = self.controller.join(self.root, tenant.id, f"{role}@{tenant.name}.example.org", role)
        tenant.ids = {"agent": self.new_agent(tenant, f"{tenant.name}-agent"), "user": tenant.users["viewer"].user,
                      "invite": self.new_invite(tenant, f"waiting@{tenant.name}.example.org")}
        body = new_probe(tenant.ids["agent"]) | {"settings": {"target": f"{tenant.name}.example.org"}}
        probe = self.root.post(f"/workspaces/{tenant.id}/probes", body).expect(201).json["items"][0]
        tenant.ids |= {"probe": probe["id"], "target": probe["target"]["id"]}
        route = self.root.post(f"/workspaces/{tenant.id}/probes", body | {"kind": "path"}).expect(201).json["items"][0]
        self.routes[probe["id"]] = route["id"]
        tenant.ids["trace"] = self.new_trace(tenant)
        self.root.delete(f"/workspaces/{tenant.id}/traces/{tenant.ids['trace']}").expect(204)  # it would expire by itself
        tenant.ids["annotation"] = self.new_annotation(tenant, f"{tenant.name} works on the line")
        return tenant

    def new_agent(self, tenant: Tenant, name: str) -> str:
        return self.root.post(f"/workspaces/{tenant.id}/agents", {"name": name}).expect(201).json["agent"]["id"]

    def new_invite(self, tenant: Tenant, email: str) -> str:
        return self.root.post(f"/workspaces/{tenant.id}/invites", {"email": email, "role": "viewer"}).expect(201).json["invite"]["id"]

    def new_trace(self, tenant: Tenant) -> str:
        """Of an agent of its own: it may have eight open at once."""
        body = {"agent": self.new_agent(tenant, f"tracer {time.monotonic_ns()}"), "target": "192.0.2.9"}
        return self.root.post(f"/workspaces/{tenant.id}/traces", body).expect(201).json["id"]

    def new_annotation(self, tenant: Tenant, text: str) -> str:
        body = {"probe": tenant.ids["probe"], "at_us": int(time.time() * 1e6) - 60_000_000, "text": text}
        return self.root.post(f"/workspaces/{tenant.id}/annotations", body).expect(201).json["id"]

    def disposable(self, method: str, pattern: str) -> dict[str, str]:
        """Ids of `mine` for a request that may succeed: what it changes or deletes was made for it."""
        self.made += 1
        ids = dict(self.mine.ids)
        base = f"/workspaces/{self.mine.id}"
        if "{agent}" in pattern and method != "GET":
            ids["agent"] = self.new_agent(self.mine, f"spare {self.made}")
            if pattern.endswith("/restore"):
                self.root.delete(f"{base}/agents/{ids['agent']}").expect(204)
        if "{probe}" in pattern and method != "GET":
            ids["probe"] = self.root.post(f"{base}/probes", new_probe(ids["agent"])).expect(201).json["items"][0]["id"]
            if pattern.endswith("/restore"):
                self.root.delete(f"{base}/probes/{ids['probe']}").expect(204)
        if "{user}" in pattern:
            ids["user"] = self.controller.join(self.root, self.mine.id, f"spare{self.made}@example.org", "viewer").user
        if "{invite}" in pattern:
            ids["invite"] = self.new_invite(self.mine, f"spare{self.made}@example.org")
        if "{trace}" in pattern:
            ids["trace"] = self.new_trace(self.mine)
        if "{annotation}" in pattern:
            ids["annotation"] = self.new_annotation(self.mine, f"spare {self.made}")
            if pattern.endswith("/restore"):
                self.root.delete(f"{base}/annotations/{ids['annotation']}").expect(204)
        return ids

    def body_of(self, method: str, pattern: str, ids: dict[str, str]):
        """A body that is right, so that nothing but the rights can refuse it."""
        bodies = {("PATCH", ""): {"settings": {"time_zone": "UTC"}}, ("PATCH", "/members/{user}"): {"role": "operator"},
                  ("POST", "/invites"): {"email": f"new{self.made}@example.org", "role": "viewer"},
                  ("POST", "/agents"): {"name": f"new {self.made}"}, ("POST", "/agents/builtin"): {"name": "controller"}, ("PATCH", "/agents/{agent}"): {"site": "swept"},
                  ("POST", "/probes"): new_probe(ids["agent"]), ("PATCH", "/probes/{probe}"): {"name": "swept"},
                  ("PATCH", "/targets/{target}"): {"name": "swept"},
                  ("POST", "/traces"): {"agent": ids["agent"], "target": "192.0.2.9"},
                  ("POST", "/annotations"): {"probe": ids["probe"], "at_us": 1_700_000_000_000_000, "text": "swept"},
                  ("PATCH", "/annotations/{annotation}"): {"text": "swept"}}
        bare = {"/agents/{agent}/restore", "/agents/{agent}/enrolment", "/agents/{agent}/revoke", "/probes/{probe}/restore", "/annotations/{annotation}/restore"}
        short = pattern.removeprefix(PREFIX)
        need(method in ("GET", "DELETE") or short in bare or (method, short) in bodies, f"the sweep knows no body for {method} {pattern}")
        return bodies.get((method, short))

    def send(self, client: Client, method: str, pattern: str, workspace: str, ids: dict[str, str], **more) -> Reply:
        known = ids | {"workspace": workspace}
        if "/probes/{probe}/path" in pattern:
            known["probe"] = self.routes[ids["probe"]]
        path = re.sub(r"\{(\w+)\}", lambda m: known[m[1]], pattern)
        return client.call(method, API + path, self.body_of(method, pattern, ids), query=query_of(pattern) if method == "GET" else None, **more)

    def denials(self, reply: Reply) -> list[tuple]:
        """Audit entries of this very request: (workspace or None, actor)."""
        return self.controller.rows("SELECT w.slug, a.actor FROM audit a LEFT JOIN workspace w ON w.id = a.workspace "
                                    "WHERE a.action = 'access.denied' AND a.outcome = 'denied' AND a.request = ?",
                                    reply.json["request_id"])

    def must_be_audited(self, reply: Reply, user: Client, in_workspace: bool) -> None:
        found = self.denials(reply)
        need(len(found) == 1, f"{reply.request}: {reply.status} with {len(found)} access.denied entries in the audit log")
        need(found[0][1] == user.user, f"{reply.request}: the audit log blames {found[0][1]}")
        need(found[0][0] == (self.mine.slug if in_workspace else None), f"{reply.request}: audited for workspace {found[0][0]}")

    def marks(self) -> list[str]:
        """What belongs to the other workspace and must never be seen."""
        users = [text for u in self.other.users.values() for text in (u.user, u.me["user"]["email"])]
        return [self.other.id, *self.other.ids.values(), self.routes[self.other.ids["probe"]], "beta-agent", "beta.example.org", "beta works", *users]

    def must_not_leak(self, reply: Reply) -> None:
        # Errors may repeat what was asked for; nothing but the request itself can have put it there.
        asked = reply.request + json.dumps(reply.json.get("instance", "")) if reply.status >= 400 else ""
        leaked = [m for m in self.marks() if m.encode() in reply.body and m not in asked]
        need(not leaked, f"{reply.request}: the answer holds {leaked[0] if leaked else ''} of the other workspace")


VOLATILE = {"last_seen_us", "now_us"}


def steady(node):
    if isinstance(node, dict):
        return {k: steady(v) for k, v in node.items() if k not in VOLATILE}
    return [steady(n) for n in node] if isinstance(node, list) else node


def dump(w: World) -> dict[str, object]:
    """Everything of the other workspace that its owner can read, but what depends on the time of reading."""
    owner, seen = w.other.users["owner"], {}
    for method, pattern in w.table:
        if method == "GET" and query_of(pattern) is None and not pattern.endswith("/topology"):  # which is of now
            reply = w.send(owner, method, pattern, w.other.id, w.other.ids).expect(200)
            seen[pattern] = steady(reply.json) if "json" in reply.headers["Content-Type"] else reply.body
    return seen


def foreign_workspace(w: World, method: str, pattern: str) -> None:
    """Not there, for members of another one and for a user without any; whichever ids come with it."""
    for role, user in [*w.mine.users.items(), ("stranger", w.stranger)]:
        for name in (w.other.id, w.other.slug):
            for ids in (w.other.ids, w.mine.ids):
                reply = w.send(user, method, pattern, name, ids)
                need(reply.status == 404, f"{role}: {reply.request}: {reply.status} instead of 404")
                w.must_not_leak(reply)
                w.must_be_audited(reply, user, in_workspace=False)


def foreign_id(w: World, method: str, pattern: str, parameter: str) -> None:
    """The own workspace with an id of the other one: as if it were nowhere."""
    for role, user in w.mine.users.items():
        ids = w.mine.ids | {parameter: w.other.ids[parameter]}
        expected = 404 if may(role, w.table[method, pattern]) else 403
        reply = w.send(user, method, pattern, w.mine.id, ids)
        need(reply.status == expected, f"{role}: {reply.request}: {reply.status} instead of {expected}: {reply.body[:200]!r}")
        w.must_not_leak(reply)


def own_workspace(w: World, method: str, pattern: str) -> None:
    """403 below the permission's least role, success from it on."""
    for role, user in reversed(w.mine.users.items()):
        allowed = may(role, w.table[method, pattern])
        ids = w.disposable(method, pattern) if allowed else w.mine.ids
        reply = w.send(user, method, pattern, w.mine.id, ids)
        if allowed:
            need(reply.status in (200, 201, 204), f"{role}: {reply.request}: {reply.status} though it is permitted: {reply.body[:200]!r}")
            if "/audit" not in pattern:  # which tells of the foreign paths that the own members have tried
                w.must_not_leak(reply)
        else:
            need(reply.status == 403, f"{role}: {reply.request}: {reply.status} instead of 403")
            w.must_be_audited(reply, user, in_workspace=True)


def foreign_queries(w: World) -> None:
    owner, base = w.mine.users["owner"], f"/workspaces/{w.mine.id}"
    beta = f"/workspaces/{w.other.id}"
    cursors = [w.root.get(beta + end, query={"limit": 1}).json.get("next_cursor") for end in ("/audit", "/agents", "/probes", "/targets")]
    queries = [("/probes", {"agent": w.other.ids["agent"]}), ("/probes", {"target": w.other.ids["target"]}), ("/probes", {"q": "beta"}),
               ("/agents", {"q": "beta"}), ("/targets", {"q": "beta"}), ("/audit", {"actor": w.other.users["owner"].user}),
               ("/audit.csv", {"actor": w.other.users["owner"].user})]
    queries += [(end, {"cursor": c}) for end in ("/audit", "/agents", "/probes", "/targets") for c in cursors if c]
    for end, query in queries:
        reply = owner.get(base + end, query=query)
        need(reply.status in (200, 404, 422), f"{reply.request}: {reply.status}")
        w.must_not_leak(reply)
        if reply.status == 200 and not end.endswith(".csv") and "cursor" not in query:
            need(not reply.json["items"], f"{reply.request}: finds something")


def foreign_bodies(w: World) -> None:
    mine, theirs = w.mine.ids["agent"], w.other.ids["agent"]
    for role in ("owner", "admin", "operator"):
        for agents in ({"agent_id": theirs}, {"agent_ids": [theirs]}, {"agent_ids": [mine, theirs]}):
            before = w.root.get(f"/workspaces/{w.mine.id}/probes").json["items"]
            body = {k: v for k, v in new_probe(mine).items() if k != "agent_id"} | agents
            reply = w.mine.users[role].post(f"/workspaces/{w.mine.id}/probes", body).expect(422)
            need(reply.fields and all(f.startswith(next(iter(agents))) for f in reply.fields), f"{agents}: names {sorted(reply.fields)}")
            need(w.root.get(f"/workspaces/{w.mine.id}/probes").json["items"] == before, f"{agents}: made a probe all the same")


def foreign_annotation(w: World) -> None:
    body = {"probe": w.other.ids["probe"], "at_us": 1_700_000_000_000_000, "text": "not mine"}
    for role in ("owner", "admin", "operator"):
        reply = w.mine.users[role].post(f"/workspaces/{w.mine.id}/annotations", body).expect(422)
        need(reply.fields == {"probe"}, f"names {sorted(reply.fields)}")


def owners_only(w: World) -> None:
    """An administrator neither makes nor unmakes owners."""
    admin, base = w.mine.users["admin"], f"/workspaces/{w.mine.id}"
    owner = w.mine.users["owner"].user
    admin.patch(f"{base}/members/{owner}", {"role": "viewer"}).expect(403)
    admin.delete(f"{base}/members/{owner}").expect(403)
    admin.patch(f"{base}/members/{admin.user}", {"role": "owner"}).expect(403)
    admin.post(f"{base}/invites", {"email": "crown@example.org", "role": "owner"}).expect(403, 422)


def site_administration(w: World) -> None:
    users = [*w.mine.users.values(), w.stranger]
    for user in users:
        for reply in (user.post("/workspaces", {"name": "Mine"}), user.patch("/instance", {"name": "Mine"}), user.get("/instance/audit"), user.get("/instance/audit.csv")):
            w.must_be_audited(reply.expect(403), user, in_workspace=False)
    # The site's administrator is nobody in a workspace without a membership.
    made = w.controller.join(w.root, w.other.id, "second@beta.example.org", "owner")
    workspace = w.root.post("/workspaces", {"name": "Delta"}).expect(201).json["id"]
    w.controller.join(w.root, workspace, "owner@delta.example.org", "owner")
    w.root.delete(f"/workspaces/{workspace}/members/{w.root.user}").expect(204)
    w.root.get(f"/workspaces/{workspace}").expect(404)
    w.root.delete(f"/workspaces/{w.other.id}/members/{made.user}").expect(204)


def sessions_are_own(w: World) -> None:
    victim, thief = w.other.users["viewer"], w.mine.users["owner"]
    session = next(i["id"] for i in victim.get("/sessions").json["items"] if i["current"])
    thief.delete(f"/sessions/{session}").expect(404)
    victim.get("/session").expect(200)


def lists_are_own(w: World) -> None:
    for user in [*w.mine.users.values(), w.stranger]:
        for path in ("/session", "/sessions", "/workspaces", "/instance", "/kinds"):
            w.must_not_leak(user.get(path).expect(200))


def subscribe(w: World, number: int, workspace: str, topic: str, subject: str = "") -> dict:
    return {"type": "subscribe", "id": number, "workspace": workspace, "topic": topic} | ({topic: subject} if subject else {})


def foreign_wishes(w: World) -> list[dict]:
    other, mine, probe, trace = w.other, w.mine.id, w.other.ids["probe"], w.other.ids["trace"]
    wishes = [(name, topic, "") for name in (other.id, other.slug) for topic in ("agents", "probes", "topology")]
    wishes += [(other.id, "probe", probe), (other.id, "probe", w.mine.ids["probe"]), (mine, "probe", probe)]
    wishes += [(other.id, "trace", trace), (other.id, "trace", w.mine.ids["trace"]), (mine, "trace", trace)]
    return [subscribe(w, 10 + i, *wish) for i, wish in enumerate(wishes)]


def live_refuses(w: World, role: str) -> None:
    user = w.mine.users.get(role, w.stranger)
    with WebSocket(user) as socket:
        for wish in foreign_wishes(w):
            if wish["workspace"] == w.mine.id and role == "stranger":
                continue
            rows = "SELECT count(*) FROM audit WHERE action = 'access.denied' AND outcome = 'denied' AND subject_type = 'live'"
            before = w.controller.rows(rows)
            answer = socket.ask(wish)[-1]
            need(answer["type"] == "error" and answer["problem"]["status"] == 404, f"{wish}: {answer}")
            socket.ask({"type": "unsubscribe", "id": 999})  # answered after the entry was written
            need(w.controller.rows(rows)[0][0] == before[0][0] + 1, f"{wish}: no access.denied entry in the audit log")


def change(w: World, tenant: Tenant, text: str) -> None:
    w.root.patch(f"/workspaces/{tenant.id}/agents/{tenant.ids['agent']}", {"site": text}).expect(200)
    w.root.patch(f"/workspaces/{tenant.id}/probes/{tenant.ids['probe']}", {"name": text}).expect(200)


def tells(message: dict, kind: str, text: str) -> bool:
    return any(e["type"] == kind and (e[kind].get("site") == text or e[kind].get("name") == text) for e in message.get("events", []))


def live_keeps_apart(w: World) -> None:
    """Both viewers listen to everything they can ask for; each hears of changes in the own workspace only."""
    with WebSocket(w.mine.users["viewer"]) as mine, WebSocket(w.other.users["viewer"]) as other:
        for socket, tenant in ((mine, w.mine), (other, w.other)):
            for wish in (subscribe(w, 1, tenant.id, "agents"), subscribe(w, 2, tenant.slug, "probes"), subscribe(w, 3, tenant.id, "probe", tenant.ids["probe"])):
                need((answer := socket.ask(wish)[-1])["type"] == "subscribed", f"{wish}: {answer}")
        for wish in foreign_wishes(w):
            mine.ask(wish)
        change(w, w.other, "foreign news")
        seen_other = other.until(lambda m: tells(m, "agent", "foreign news"))
        if not any(tells(m, "probe", "foreign news") for m in seen_other):
            other.until(lambda m: tells(m, "probe", "foreign news"))
        change(w, w.mine, "own news")
        seen: list[dict] = []
        while not all(any(tells(m, kind, "own news") for m in seen) for kind in ("agent", "probe")):
            seen.append(mine.receive())
        leaked = [mark for mark in [*w.marks(), "foreign news"] if mark in json.dumps(seen)]
        need(not leaked, f"an event of the other workspace holds {leaked[:1]}")


def live_ends_with_membership(w: World) -> None:
    user = w.controller.join(w.root, w.mine.id, "leaver@example.org", "viewer")
    with WebSocket(user) as socket:
        need(socket.ask(subscribe(w, 1, w.mine.id, "agents"))[-1]["type"] == "subscribed", "a viewer may not listen")
        w.root.delete(f"/workspaces/{w.mine.id}/members/{user.user}").expect(204)
        w.root.patch(f"/workspaces/{w.mine.id}/agents/{w.mine.ids['agent']}", {"site": "after"}).expect(200)
        try:
            while True:
                need("after" not in json.dumps(socket.receive()), "an event came after the membership had ended")
        except Closed:
            pass
    with WebSocket(user) as socket:
        need(socket.ask(subscribe(w, 1, w.mine.id, "agents"))[-1]["type"] == "error", "somebody who was removed may listen again")


def live_door(w: World) -> None:
    viewer = w.mine.users["viewer"]
    for what, status, attempt in (("without a session", 401, lambda: WebSocket(w.controller.client())),
                                  ("from another origin", 403, lambda: WebSocket(viewer, origin="http://evil.example"))):
        try:
            attempt()
        except Refused as refused:
            need(refused.status == status, f"{what}: {refused.status} instead of {status}")
        else:
            need(False, f"{what}: connected")


def live_closes_with_session(w: World) -> None:
    user = w.controller.client().sign_in("viewer@alpha.example.org")
    with WebSocket(user) as socket:
        socket.ask(subscribe(w, 1, w.mine.id, "agents"))
        user.delete("/session").expect(204)
        try:
            while True:
                socket.receive()
        except Closed as closed:
            code = closed.code
    try:
        WebSocket(user)
    except Refused as refused:
        need(refused.status == 401, f"{refused} instead of 401")
    else:
        need(False, "a session that has ended may listen again")
    need(code == 4401, f"closed with {code} instead of 4401")


def live_of_other_sessions_stays(w: World) -> None:
    first, second = (w.controller.client().sign_in("viewer@alpha.example.org") for _ in range(2))
    with WebSocket(first) as ended, WebSocket(second) as kept:
        for socket in (ended, kept):
            socket.ask(subscribe(w, 1, w.mine.id, "agents"))
        item = next(i for i in first.get("/sessions").expect(200).json["items"] if i["current"])
        second.delete(f"/sessions/{item['id']}").expect(204)
        try:
            while True:
                ended.receive()
        except Closed as closed:
            need(closed.code == 4401, f"closed with {closed.code} instead of 4401")
        need(kept.ask(subscribe(w, 2, w.mine.id, "probes"))[-1]["type"] == "subscribed", "the other session's socket is gone too")


def unchanged(w: World, before: dict[str, object]) -> None:
    after = dump(w)
    need(after.keys() == before.keys() and len(before) >= 10, "the dumps are not comparable")
    changed = [pattern for pattern in before if before[pattern] != after[pattern]]
    need(not changed, f"changed in the other workspace: {', '.join(changed)}")


def sweep(w: World, tally: Tally) -> None:
    last = ("DELETE", PREFIX)
    order = [key for key in w.table if key != last] + [last]  # it ends the workspace
    for method, pattern in order:
        tally.check(f"cross_tenant foreign workspace: {method} {pattern}", lambda: foreign_workspace(w, method, pattern))
        for parameter in re.findall(r"\{(\w+)\}", pattern.removeprefix(PREFIX)):
            tally.check(f"cross_tenant foreign {parameter}: {method} {pattern}", lambda: foreign_id(w, method, pattern, parameter))
    others = (("ids in the query", foreign_queries), ("ids in the body", foreign_bodies), ("an annotation of a foreign probe", foreign_annotation), ("only owners make owners", owners_only),
              ("sessions of others", sessions_are_own), ("lists of one's own", lists_are_own), ("live: the door", live_door))
    for name, step in others:
        tally.check(f"cross_tenant {name}", lambda: step(w))
    for role in (*ROLES, "stranger"):
        tally.check(f"cross_tenant live: foreign subscriptions of {role}", lambda: live_refuses(w, role))
    tally.check("cross_tenant live: ends with the membership", lambda: live_ends_with_membership(w))
    tally.check("cross_tenant live: ends with the session", lambda: live_closes_with_session(w))
    tally.check("cross_tenant live: another session's end leaves it open", lambda: live_of_other_sessions_stays(w))


def run(build: Path, scratch: Path, tally: Tally) -> None:
    with Controller(build, scratch) as controller:
        w = World(controller)
        before = dump(w)
        sweep(w, tally)
        last = ("DELETE", PREFIX)
        for method, pattern in [key for key in w.table if key != last] + [last]:
            tally.check(f"cross_tenant roles: {method} {pattern}", lambda: own_workspace(w, method, pattern))
        tally.check("cross_tenant nothing changed in the other workspace", lambda: unchanged(w, before))
