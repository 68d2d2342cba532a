"""Signing in and out, and what a browser can be tricked into."""

import time
from pathlib import Path

from harness import PASSWORD, Client, Controller, Reply, Tally, cookie_of, need, wait_for

OTHER_PASSWORD = "another long password"


def setup_once(c: Controller) -> Client:
    """The token works once; a wrong one never, and a new one ends those before."""
    form = {"email": "root@example.org", "name": "Root", "password": PASSWORD, "workspace_name": "Alpha"}
    need(c.client().get("/setup").json["needed"] is True, "the set-up is not needed on an empty controller")
    old, token = c.setup_token(), c.setup_token()
    for wrong in ("x" * 43, old, ""):
        c.client().post("/setup", form | {"token": wrong}).expect(403, 422)
    client = c.client()
    client.signed_in(client.post("/setup", form | {"token": token}).expect(201))
    c.client().post("/setup", form | {"token": token, "email": "second@example.org"}).expect(409)
    need(c.client().get("/setup").json["needed"] is False, "the set-up is still needed")
    client.get("/session").expect(200)
    return client


def cookie_flags(c: Controller) -> None:
    reply = c.client().post("/session", {"email": "root@example.org", "password": PASSWORD}).expect(200)
    flags = {part.strip().lower() for part in reply.headers["Set-Cookie"].split(";")[1:]}
    need({"httponly", "samesite=lax", "path=/"} <= flags, f"the cookie's flags are {sorted(flags)}")
    need("secure" not in flags, "Secure without TLS: browsers would not keep the cookie")
    need(any(f.startswith("max-age=") and int(f[8:]) > 0 for f in flags), "the cookie has no life")
    need(len(cookie_of(reply)) >= 32, "the session token is short")
    need(reply.headers["Cache-Control"] == "no-store", "an answer with secrets may be cached")
    stored = c.rows("SELECT count(*) FROM session WHERE token_hash = ?", cookie_of(reply).encode())[0][0]
    need(stored == 0, "the session token itself is on disk")


def same_answer(c: Controller) -> None:
    """Neither content, headers nor time tell whether the address has an account."""
    def attempt(email: str, source: str) -> tuple[float, Reply]:
        start = time.monotonic()
        reply = c.client(source).post("/session", {"email": email, "password": "not the password"}).expect(401)
        return time.monotonic() - start, reply
    # In turn, so that other work on the machine is beside both of them; the quickest of each is compared.
    pairs = [(attempt("root@example.org", "127.0.0.21"), attempt("nobody@example.org", "127.0.0.22")) for _ in range(4)]
    known, unknown = [list(replies) for replies in zip(*pairs)]
    bodies = [{k: v for k, v in r.json.items() if k != "request_id"} for _, r in known + unknown]
    need(all(b == bodies[0] for b in bodies), f"the answers differ: {bodies[0]} and {bodies[-1]}")
    names = [sorted(k.lower() for k in r.headers) for _, r in known + unknown]
    need(all(n == names[0] for n in names), "the answers' headers differ")
    ratio = min(t for t, _ in known) / min(t for t, _ in unknown)
    need(0.5 < ratio < 2, f"a known address takes {ratio:.2f} times as long")


def rate_limit(c: Controller) -> None:
    victim = c.client().sign_in("root@example.org")
    wrong = {"email": "root@example.org", "password": "not the password"}
    right = wrong | {"password": PASSWORD}
    attacker = c.client("127.0.0.31")
    replies = []
    while len(replies) < 20 and (not replies or replies[-1].status != 429):
        replies.append(attacker.post("/session", wrong).expect(401, 429))
    need(replies[-1].status == 429, "20 failures in a row are not slowed down")
    need(4 <= len(replies), f"the limit strikes after {len(replies) - 1} failures: a person mistypes more often")
    after = int(replies[-1].headers["Retry-After"])
    need(1 <= after <= 900, f"Retry-After {after}")
    victim.get("/session").expect(200)
    c.client("127.0.0.32").post("/session", right).expect(200)  # a stranger cannot lock the owner out
    attacker.post("/session", {"email": "mia@example.org", "password": PASSWORD}).expect(200)
    # The wait doubles with every failure, and ends: then the right password works.
    wait_for("the end of the block", lambda: attacker.post("/session", wrong).status == 401, 10)
    longer = attacker.post("/session", right).expect(429)
    need(int(longer.headers["Retry-After"]) >= 2, f"the second wait is {longer.headers['Retry-After']} s, no longer than the first")
    wait_for("the end of the second block", lambda: attacker.post("/session", right).status == 200, 10)


def flood(c: Controller) -> None:
    """Guessing from many addresses for many accounts passes every limit of its own; the audit log stays readable."""
    failed = "SELECT count(*) FROM audit WHERE action = 'session.sign_in' AND outcome = 'failed'"
    before, begun = c.rows(failed)[0][0], time.monotonic()
    for i in range(90):
        c.client(f"127.0.3.{i + 1}").post("/session", {"email": f"nobody{i}@example.org", "password": "wrong " * 3}).expect(401)
    allowed = 50 + (time.monotonic() - begun) / 10 + 1
    added = c.rows(failed)[0][0] - before
    need(0 < added <= allowed, f"{added} entries of 90 failures")
    metrics = c.client().call("GET", "/metrics").expect(200).body.decode()
    left_out = [line for line in metrics.splitlines() if line.startswith("netwatcher_audit_left_out_total")]
    need(left_out and float(left_out[0].split()[1]) >= 90 - added, f"what was left out is not counted: {left_out}")


def csrf(c: Controller) -> None:
    user = c.client().sign_in("root@example.org")
    other = c.client().sign_in("mia@example.org")
    for token in (None, "", "x" * len(user.csrf), other.csrf):
        for method, path, body in (("PATCH", "/account", {"name": "Mallory"}), ("POST", "/workspaces", {"name": "Mallory"}), ("DELETE", "/session", None)):
            user.call(method, "/api/v1" + path, body, headers={"X-CSRF-Token": token}).expect(403)
    need(user.get("/session").expect(200).json["user"]["name"] == "Root", "a refused request changed the account")
    user.patch("/account", {"name": "Root"}).expect(200)


def origin(c: Controller) -> None:
    user = c.client().sign_in("root@example.org")
    for wrong in ("http://evil.example", f"http://127.0.0.1:{c.port + 1}", f"http://localhost:{c.port}", "https://127.0.0.1", "null", f"http://127.0.0.1:{c.port}.evil.example"):
        user.patch("/account", {"name": "Mallory"}, headers={"Origin": wrong}).expect(403)
        c.client().post("/session", {"email": "root@example.org", "password": PASSWORD}, headers={"Origin": wrong}).expect(403)
    user.patch("/account", {"name": "Root"}, headers={"Origin": c.base}).expect(200)


def password_change(c: Controller) -> None:
    here, there = (c.client().sign_in("mia@example.org") for _ in range(2))
    here.post("/account/password", {"current": "not this one", "new": OTHER_PASSWORD}).expect(422)
    there.get("/session").expect(200)
    here.post("/account/password", {"current": PASSWORD, "new": OTHER_PASSWORD}).expect(204)
    here.get("/session").expect(200)
    there.get("/session").expect(401)
    c.client("127.0.0.41").post("/session", {"email": "mia@example.org", "password": PASSWORD}).expect(401)
    c.client().sign_in("mia@example.org", OTHER_PASSWORD)


def sign_out(c: Controller) -> None:
    user, elsewhere = (c.client().sign_in("root@example.org") for _ in range(2))
    reply = user.delete("/session").expect(204)
    need("Max-Age=0" in reply.headers["Set-Cookie"], "the cookie is not taken back")
    user.get("/session").expect(401)
    elsewhere.get("/session").expect(200)
    listed = [i["id"] for i in elsewhere.get("/sessions").json["items"] if i["current"]]
    elsewhere.delete(f"/sessions/{listed[0]}").expect(204)
    elsewhere.get("/session").expect(401)


def forged(c: Controller) -> None:
    for cookie in ("x", "A" * 43, "' OR 1=1 --", "%00"):
        Client(c.port, cookie=cookie).get("/session").expect(401)


def invitation_once(c: Controller, root: Client) -> None:
    workspace = root.me["memberships"][0]["workspace"]["id"]
    made = root.post(f"/workspaces/{workspace}/invites", {"email": "ivo@example.org", "role": "viewer"}).expect(201).json
    token, form = made["url"].rpartition("/")[2], {"name": "Ivo", "password": PASSWORD}
    ivo = c.client()
    ivo.signed_in(ivo.post(f"/invites/{token}", form).expect(200))
    for _ in range(2):
        c.client().post(f"/invites/{token}", form | {"name": "Eve"}).expect(404)
    again = root.post(f"/workspaces/{workspace}/invites", {"email": "ivo@example.org", "role": "admin"}).expect(201).json
    path = f"/invites/{again['url'].rpartition('/')[2]}"
    c.client().post(path, form | {"name": "Eve"}).expect(409)  # nobody takes over an account with a link
    ivo.post(path, {}, headers={"X-CSRF-Token": None}).expect(403)
    root.delete(f"/workspaces/{workspace}/invites/{again['invite']['id']}").expect(204)
    ivo.post(path, {}).expect(404)


def audited(c: Controller, root: Client) -> None:
    workspace = root.me["memberships"][0]["workspace"]["id"]
    actions = {a for (a,) in c.rows("SELECT DISTINCT action FROM audit")}
    wanted = {"instance.set_up", "session.sign_in", "session.sign_out", "account.change_password", "account.update", "invite.create", "invite.accept", "access.denied"}
    need(wanted <= actions, f"not in the audit log: {', '.join(sorted(wanted - actions))}")
    need(c.rows("SELECT count(*) FROM audit WHERE action = 'session.sign_in' AND outcome = 'failed'")[0][0] > 0, "failed sign-ins are not audited")
    dump = str(c.rows("SELECT * FROM audit"))
    need(PASSWORD not in dump and OTHER_PASSWORD not in dump and root.cookie not in dump, "the audit log holds a secret")
    c.must("admin", "verify-audit", "--data-dir", c.data)
    need(workspace in root.get("/session").body.decode(), "the first session is gone")


def run(build: Path, scratch: Path, tally: Tally) -> None:
    with Controller(build, scratch) as c:
        root: list[Client] = []
        tally.check("auth set-up token works once", lambda: root.append(setup_once(c)))
        if not root:
            root.append(c.set_up())
        c.join(root[0], root[0].me["memberships"][0]["workspace"]["id"], "mia@example.org", "viewer")
        for name, step in (("cookie flags", cookie_flags), ("unknown address and wrong password answer alike", same_answer),
                           ("guessing is slowed down, others are not", rate_limit), ("a flood of failures does not flood the audit log", flood),
                           ("X-CSRF-Token is needed", csrf),
                           ("foreign Origin is refused", origin), ("a new password ends other sessions", password_change),
                           ("signing out ends the session", sign_out), ("forged cookies", forged)):
            tally.check(f"auth {name}", lambda: step(c))
        tally.check("auth an invitation works once", lambda: invitation_once(c, root[0]))
        tally.check("auth everything is audited, no secret is", lambda: audited(c, root[0]))
