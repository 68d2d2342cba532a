"""Options and their errors; a backup that was restored is the same installation."""

import socket
from pathlib import Path

from harness import Controller, Tally, need

VOLATILE = {"last_seen_us", "now_us", "started_us"}


def refused(c: Controller, arguments: list, *words: str) -> None:
    done = c.run(*arguments)
    need(done.returncode != 0, f"{arguments} is accepted")
    missing = [w for w in words if w not in done.stderr]
    need(not missing, f"{arguments}: the error does not say {missing}: {done.stderr.strip()}")
    need(len(done.stderr.strip().splitlines()) <= 3, f"{arguments}: a long error: {done.stderr}")


def unknown_option(c: Controller) -> None:
    c.scratch.mkdir(parents=True, exist_ok=True)
    file = c.scratch / "wrong.toml"
    for text, words in (('lisen = "127.0.0.1:1"\n', ("wrong.toml", "unknown option 'lisen'", "did you mean listen?")),
                        ('data_dir = "/tmp/x"\nraw_dais = 3\n', ("unknown option 'raw_dais'", "did you mean raw_days?")),
                        ('listen = \n', ("wrong.toml", "line 1")), ('raw_days = "soon"\n', ("raw_days", "'soon'", "wrong.toml")),
                        ('raw_days = 0\n', ("raw_days", "1 to 36500")), ('log_level = "loud"\n', ("log_level", "'loud'", "debug, info, warn or error"))):
        file.write_text(text)
        refused(c, ["serve", "--config", file], *words)
    refused(c, ["serve", "--config", c.scratch / "absent.toml"], "absent.toml")


def print_config(c: Controller) -> None:
    file = c.scratch / "right.toml"
    file.write_text('listen = ["127.0.0.1:4001", "[::1]:4002"]\nraw_days = 7\nlog_level = "warn"\n')
    lines = dict(line.split(" = ", 1) for line in c.must("serve", "--config", file, "--print-config", "--log-level", "debug").splitlines())
    for name, value, source in (("listen", "127.0.0.1:4001", "right.toml"), ("raw_days", "7", "right.toml"), ("log_level", "debug", "flag"),
                                ("hour_days", "1095", "default")):
        need(value in lines[name] and source in lines[name].partition("#")[2], f"{name} is shown as {lines[name]}")


def bad_listen(c: Controller) -> None:
    data = ["--data-dir", c.scratch / "unused"]
    for listen in ("nonsense", "127.0.0.1", "127.0.0.1:99999", ":80x"):
        refused(c, ["serve", *data, "--listen", listen], "listen", listen, "ADDRESS:PORT")
    refused(c, ["serve", *data, "--listen", "not.an.address:80"], "not.an.address")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(c, ["serve", *data, "--listen", f"127.0.0.1:{taken.getsockname()[1]}"], str(taken.getsockname()[1]), "in use")


def steady(node):
    if isinstance(node, dict):
        return {k: steady(v) for k, v in node.items() if k not in VOLATILE}
    return [steady(n) for n in node] if isinstance(node, list) else node


def backup_and_restore(c: Controller, build: Path) -> None:
    root = c.set_up()
    workspace = f"/workspaces/{root.me['memberships'][0]['workspace']['id']}"
    agent = root.post(f"{workspace}/agents", {"name": "kept"}).expect(201).json["agent"]["id"]
    body = {"kind": "ping", "agent_id": agent, "settings": {"target": "192.0.2.1"}}
    probe = root.post(f"{workspace}/probes", body).expect(201).json["items"][0]["id"]
    paths = [f"{workspace}/agents/{agent}", f"{workspace}/probes/{probe}", f"{workspace}/members", workspace]
    before = [steady(root.get(p).expect(200).json) for p in paths]
    copy = c.scratch / "backup"
    c.must("backup", copy, "--data-dir", c.data)
    need(list((copy / "telemetry").glob("intake-*.db")), "the backup has no telemetry")
    need(not (c.data / "snapshot").exists(), "the backup left a copy in the data directory")
    refused(c, ["backup", copy, "--data-dir", c.data], str(copy))
    refused(c, ["restore", copy, "--data-dir", c.data], str(c.data))
    root.delete(f"{workspace}/agents/{agent}").expect(204)  # after the backup: not in it
    restored = c.scratch / "restored"
    c.must("restore", copy, "--data-dir", restored)
    c.must("admin", "verify-audit", "--data-dir", restored)
    with Controller(build, c.scratch / "second", restored) as second:
        again = second.client().sign_in("root@example.org")
        after = [steady(again.get(p).expect(200).json) for p in paths]
        need(after == before, "what was restored is not what was backed up")
        again.post(f"{workspace}/agents", {"name": "new"}).expect(201)
        need(second.stop() == 0, "the restored controller does not stop in order")
    at_rest = c.scratch / "backup-at-rest"
    c.must("backup", at_rest, "--data-dir", restored)
    need((at_rest / "metadata.db").exists() and list((at_rest / "telemetry").glob("*.db")), "a backup without a controller is not whole")
    need(c.stop() == 0, "the controller does not stop in order")


def retention_of_a_workspace(build: Path, scratch: Path) -> None:
    """A workspace keeps no longer than the controller; what says nothing else follows the controller's configuration."""
    keep = lambda raw, five, hour: {"raw_days": raw, "five_minute_days": five, "hour_days": hour}  # noqa: E731
    with Controller(build, scratch, options=["--raw-days", "40", "--five-minute-days", "90"]) as c:
        root = c.set_up()
        path = f"/workspaces/{root.me['memberships'][0]['workspace']['id']}"

        def change(days: dict):
            present = root.get(path)
            return root.patch(path, {"settings": {"retention": days}}, headers={"If-Match": present.headers["ETag"]})

        need(root.get(path).json["settings"]["retention"] == keep(40, 90, 1095), "not the controller's to begin with")
        refusal = change(keep(41, 90, 1095)).expect(422)
        need(refusal.fields == {"settings.retention.raw_days"}, f"refused at {refusal.fields}")
        need(change(keep(40, 90, 1095)).expect(200).json["settings"]["retention"] == keep(40, 90, 1095), "the same is refused")
    with Controller(build, scratch, c.data, ["--raw-days", "50", "--five-minute-days", "90"]) as c:
        root = c.client().sign_in(root.me["user"]["email"])
        need(root.get(path).json["settings"]["retention"] == keep(50, 90, 1095), "a workspace does not follow the controller")
        need(change(keep(7, 30, 60)).expect(200).json["settings"]["retention"] == keep(7, 30, 60), "shorter is not taken")
    with Controller(build, scratch, c.data, ["--raw-days", "5", "--five-minute-days", "90"]) as c:
        root = c.client().sign_in(root.me["user"]["email"])
        need(root.get(path).json["settings"]["retention"] == keep(5, 30, 60), "a workspace keeps longer than the controller")


def set_password(c: Controller) -> None:
    c.start()
    done = c.run("admin", "set-password", "--data-dir", c.data, "--email", "root@example.org", text="a password from the console\n")
    need(done.returncode == 0, done.stderr)
    c.client().sign_in("root@example.org", "a password from the console")
    need(c.run("admin", "set-password", "--data-dir", c.data, "--email", "nobody@example.org", text="x" * 12).returncode != 0, "a password for nobody")


def run(build: Path, scratch: Path, tally: Tally) -> None:
    c = Controller(build, scratch)
    tally.check("configuration errors name the option and what was meant", lambda: unknown_option(c))
    tally.check("configuration --print-config shows values and sources", lambda: print_config(c))
    tally.check("configuration an address that cannot be listened on", lambda: bad_listen(c))
    with c:
        tally.check("configuration backup while running, restore, serve", lambda: backup_and_restore(c, build))
        if c.process.poll() is None:
            c.stop()
        tally.check("configuration admin set-password while running", lambda: set_password(c))
    tally.check("configuration retention of a workspace within the controller's",
                lambda: retention_of_a_workspace(build, scratch / "retention"))
