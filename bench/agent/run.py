#!/usr/bin/env python3
"""What the agent costs: scheduled, measured, spooled and sent to a controller that acknowledges and does nothing else.

    run.py [--build build/fast] [--seconds 20]

Needs CAP_NET_RAW (or root). Prints one JSON line per figure. With prometheus-blackbox-exporter or zabbix_agent2
installed, the idle agent is also compared with them.
"""
import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def figure(name: str, unit: str, ours: float, bar: float | None, peer: float | None = None) -> None:
    value = ours / peer if peer else ours
    print(json.dumps({"bench": "agent", "figure": name, "unit": unit, "ours": round(ours, 3), "peer": round(peer, 3) if peer else None,
                      "ratio": round(value, 3) if peer else None, "bar": bar, "ok": None if bar is None else value <= bar}), flush=True)


def cpu_seconds(pid: int) -> float:
    """To the nanosecond, over all threads: the ticks of /proc/PID/stat are as long as an idle program runs in a minute."""
    return sum(int(file.read_text().split()[0]) for file in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def memory_kb(pid: int) -> dict[str, int]:
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines if line.split(":")[0] in ("Rss", "Pss")}


def observe(pid: int, warm_up: float, seconds: float) -> dict:
    time.sleep(warm_up)
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return {"cpu": (cpu_seconds(pid) - before) / seconds} | memory_kb(pid)


def with_agent(build: pathlib.Path, probes: int, interval_ms: int, packets: int, warm_up: float, seconds: float) -> tuple[dict, dict]:
    work = pathlib.Path(tempfile.mkdtemp(prefix="nw-bench-agent-"))
    sink = subprocess.Popen([build / "bench/agent/bench_agent_sink", str(probes), str(interval_ms), str(packets)], stdout=subprocess.PIPE, text=True)
    port = json.loads(sink.stdout.readline())["port"]
    (work / "identity.json").write_text(json.dumps({"controller": f"http://127.0.0.1:{port}", "agent_id": "agt_bench", "name": "bench",
                                                    "secret": "0" * 64, "instance": "0" * 32, "ca_file": "", "insecure": False}))
    agent = subprocess.Popen([build / "apps/agent/netwatcher-agent", "run", "--data-dir", work, "--log-level", "warn"])
    try:
        seen = observe(agent.pid, warm_up, seconds)
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait(20)
        sink.send_signal(signal.SIGTERM)
        got, _ = sink.communicate(timeout=20)
        shutil.rmtree(work, ignore_errors=True)
    return seen, json.loads(got)


def peer(command: list[str], seconds: float) -> dict | None:
    if not shutil.which(command[0]):
        print(json.dumps({"bench": "agent", "figure": f"idle {command[0]}", "skipped": "not installed"}))
        return None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return observe(process.pid, 10, seconds)
    finally:
        process.terminate()
        process.wait(20)


def blackbox(work: pathlib.Path) -> list[str]:
    (work / "bb.yml").write_text("modules:\n  icmp: {prober: icmp, timeout: 2s}\n")
    return ["prometheus-blackbox-exporter", f"--config.file={work / 'bb.yml'}", "--web.listen-address=127.0.0.1:19115"]


def zabbix(work: pathlib.Path) -> list[str]:
    (work / "za.conf").write_text(f"LogType=console\nServer=127.0.0.1\nServerActive=127.0.0.1\nHostname=x\nListenPort=10051\n"
                                  f"PidFile={work}/za.pid\nControlSocket={work}/za.sock\nPluginSocket={work}/zap.sock\n")
    return ["zabbix_agent2", "-c", str(work / "za.conf")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/fast")
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    build = options.build.resolve()
    busy, got = with_agent(build, 1000, 1000, 1, 8, options.seconds)
    figure("1000 probes x 1 packet/s: CPU", "% of a core", busy["cpu"] * 100, 10)
    figure("1000 probes x 1 packet/s: RSS", "MB", busy["Rss"] / 1024, 30)
    expected = 1000 * (options.seconds + 7)
    figure("1000 probes x 1 packet/s: results stored, of those due", "ratio (1 or more)", min(1.0, got["rows"] / expected), None)
    figure("1000 probes x 1 packet/s: outcomes other than ok", "results", got["not_ok"], 0)
    figure("1000 probes x 1 packet/s: lateness p99", "us", got["lateness_p99_us"], None)
    idle, _ = with_agent(build, 100, 60_000, 20, 10, options.seconds)
    with tempfile.TemporaryDirectory() as work:
        other = peer(blackbox(pathlib.Path(work)), options.seconds)
        figure("100 probes x 60 s: PSS, against idle blackbox_exporter", "MB", idle["Pss"] / 1024, 0.75 if other else None, other and other["Pss"] / 1024)
        other = peer(zabbix(pathlib.Path(work)), options.seconds)
        nothing, _ = with_agent(build, 0, 60_000, 20, 10, options.seconds)
        figure("no probes: CPU, against idle zabbix_agent2", "% of a core", nothing["cpu"] * 100, 1.0 if other else None, other and other["cpu"] * 100)
        figure("100 probes x 60 s, 20 packets each: CPU, against idle zabbix_agent2", "% of a core", idle["cpu"] * 100, None, other and other["cpu"] * 100)
    return 0


if __name__ == "__main__":
    sys.exit(main())
