"""./dev up and down: a controller with agents that measure something worth looking at.

As root the agents live in the emulated network of tests/demo; otherwise one agent measures from this host.
Everything is made through the programs' own commands (admin, enroll); what was made is noted in
.dev/data/demo.json, so that the next `up` starts the same installation with its data.
"""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from . import build, processes, setup
from .shell import ROOT, STATE, Failure, is_root, must, run, say

sys.path.insert(0, str(ROOT / "tests/demo"))
import network  # noqa: E402

DEFAULT_LISTEN = "127.0.0.1:8080"
DATA = STATE / "data"
NETWORK_STATE = STATE / "network"
WORKSPACE = "demo"
CONTROLLER = build.build_dir("fast") / "apps/controller/netwatcher-controller"
AGENT = build.build_dir("fast") / "apps/agent/netwatcher-agent"
LINKEMU = build.build_dir("fast") / "tests/lab/nw_linkemu"

Wanted = tuple[str, dict]  # a probe's kind and settings


class Installation:
    """What exists on disk: the controller's data, the agents' data and the note of what was created."""

    def __init__(self) -> None:
        self.note = DATA / "demo.json"
        self.made = json.loads(self.note.read_text()) if self.note.is_file() else {"agents": {}}

    def save(self) -> None:
        DATA.mkdir(parents=True, exist_ok=True)
        self.note.write_text(json.dumps(self.made, indent=2) + "\n")

    def agent_data(self, name: str) -> Path:
        return DATA / "agents" / name

    def admin(self, *arguments: str) -> str:
        command = [CONTROLLER, "admin", arguments[0], "--data-dir", DATA / "controller", *arguments[1:]]
        return must(command, f"controller admin {arguments[0]}", timeout=60, capture=True).output

    def ensure_workspace(self) -> None:
        if not self.made.get("workspace"):
            self.admin("create-workspace", "--slug", WORKSPACE, "--name", "Demo network")
            self.made["workspace"] = WORKSPACE
            self.save()

    def ensure_agent(self, name: str, probes: list[Wanted]) -> None:
        """The agent with its probes; its single-use token is kept until it is used."""
        if name in self.made["agents"]:
            return
        answer = json.loads(self.admin("create-agent", "--workspace", WORKSPACE, "--name", name))
        for kind, settings in probes:
            self.admin("create-probe", "--workspace", WORKSPACE, "--agent", answer["agent_id"], "--kind", kind,
                       "--settings", json.dumps(settings))
        self.made["agents"][name] = {"id": answer["agent_id"], "token": answer["token"]}
        self.save()

    def ensure_enrolled(self, name: str, url: str) -> None:
        agent = self.made["agents"][name]
        if "token" not in agent:
            return
        must([AGENT, "enroll", "--controller", url, "--token", agent["token"], "--data-dir", self.agent_data(name)],
             f"enrolling {name}", timeout=60, capture=True)
        del agent["token"]
        self.save()


def demo_sites(plan: dict) -> dict[str, list[Wanted]]:
    """Every agent pings every other site and traces the path to it, one of them over IPv6 as well."""
    domain = plan["domain"]
    sites = {}
    for site in (s for s in plan["site"] if s["agent"]):
        targets = [f"{other['name']}.{domain}" for other in plan["site"] if other is not site]
        sites[site["name"]] = [wanted(plan[name], target) for name in ("probe", "path") for target in targets]
    sites["frankfurt"] += [wanted(plan[name], f"singapore6.{domain}") for name in ("probe", "path")]
    return sites


def wanted(plan: dict, target: str) -> Wanted:
    return plan["kind"], {"target": target} | {key: value for key, value in plan.items() if key != "kind"}


def local_sites() -> dict[str, list[Wanted]]:
    """Without root: this host's own loopback, its router and a public resolver's address."""
    route = run(["ip", "-json", "route", "show", "default"], capture=True)
    hops = json.loads(route.output) if route.ok and route.output.strip() else []
    targets = ["127.0.0.1", *[hop["gateway"] for hop in hops if "gateway" in hop][:1], "9.9.9.9"]
    pings = [("ping", {"target": target, "interval": 5000, "packets": 10}) for target in targets]
    return {"local": pings + [("path", {"target": targets[-1], "interval": 30000})]}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def waits_for_setup(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/api/v1/setup", timeout=5) as reply:
        return bool(json.load(reply)["needed"])


def port_of(listen: str) -> int:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise Failure(f"--listen wants ADDRESS:PORT, not '{listen}'")
    return int(port)


def start_network(port: int) -> None:
    demo = network.Network(NETWORK_STATE)
    if not demo.is_up():
        say("building the demo network")
        processes.stop("network-keeper")
        must([sys.executable, ROOT / "tests/demo/network.py", "up", "--linkemu", LINKEMU, "--state", NETWORK_STATE],
             "the demo network", timeout=60, capture=True)
    processes.start("network-keeper", [sys.executable, "-u", ROOT / "tests/demo/keeper.py", "--state", NETWORK_STATE,
                                       "--port", port])


def start_agent(name: str, inside: str | None, data: Path) -> None:
    command = [AGENT, "run", "--data-dir", data]
    processes.start(f"agent-{name}", ["ip", "netns", "exec", inside, *command] if inside else command)


def keep_port(installation: Installation, port: int) -> None:
    """Agents were enrolled with the controller's address; it must not move under them."""
    before = installation.made.setdefault("port", port)
    if before != port:
        raise Failure(f"the installation in {DATA} uses port {before}: say --listen ADDRESS:{before}, or ./dev down and "
                      f"remove {DATA} to start afresh")
    installation.save()


def up(listen: str = DEFAULT_LISTEN) -> int:
    port, root = port_of(listen), is_root()
    setup.ensure("build")
    build.build_panel()
    build.compile_targets("fast", ["netwatcher-controller", "netwatcher-agent", "nw_linkemu"])
    plan = network.load()
    sites = demo_sites(plan) if root else local_sites()

    installation = Installation()
    keep_port(installation, port)
    if not processes.running("controller"):
        installation.ensure_workspace()
        for name, probes in sites.items():
            installation.ensure_agent(name, probes)
    url = f"http://127.0.0.1:{port}"
    if not processes.running("controller") and answers(f"{url}/healthz"):
        raise Failure(f"something else answers at {url}: stop it, or choose another port with --listen")
    must([sys.executable, ROOT / "tools/pack_agent.py", "--build", build.build_dir("fast"), "--out", DATA / "downloads"],
         "packing the agent", timeout=60, capture=True)
    processes.start("controller", [CONTROLLER, "serve", "--data-dir", DATA / "controller", "--listen", listen,
                                   "--agent-program", AGENT, "--downloads-dir", DATA / "downloads"])
    processes.wait_until("starting the controller", lambda: answers(f"{url}/readyz"), ["controller"])
    if root:
        start_network(port)
    for name in installation.made["agents"]:
        installation.ensure_enrolled(name, url)
        inside = f"{plan['prefix']}-{name}" if root and name != "local" else None
        start_agent(name, inside, installation.agent_data(name))
    report(installation, listen, url)
    return 0


def report(installation: Installation, listen: str, url: str) -> None:
    names = ", ".join(installation.made["agents"])
    say(f"\nNetWatcher is up at {url}\n")
    say(f"  agents   {names}")
    say(f"  logs     {processes.LOGS}/")
    say(f"  data     {DATA}/ (kept by ./dev down)")
    if not is_root():
        say("  network  this host's own; run as root for the emulated demo network")
    if waits_for_setup(url):
        setup_url = installation.admin("setup-url", "--base", f"http://{listen}").strip()
        say(f"\nOpen this once to create the first administrator:\n\n    {setup_url}\n")


def down() -> int:
    names = processes.started()
    ordered = [n for n in names if n.startswith("agent-")] + [n for n in names if not n.startswith("agent-")]
    stopped = [name for name in ordered if processes.stop(name)]
    if is_root():
        network.Network(NETWORK_STATE).down()
    say(f"stopped: {', '.join(stopped) or 'nothing was running'}; the data stays in {DATA}")
    return 0


def panel() -> int:
    folder = ROOT / "panel"
    if not (folder / "package.json").is_file():
        raise Failure("there is no panel in this checkout")
    setup.ensure()
    return run(["npm", "run", "dev"], cwd=folder, timeout=7 * 86400).code


def foreground() -> int:
    up()
    processes.start("follow", ["tail", "-n", "0", "-F", *(processes.log_file(n) for n in processes.started())])
    try:
        return panel()
    finally:
        down()
