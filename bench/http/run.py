#!/usr/bin/env python3
"""CPU of a small JSON GET with a session check, beside nginx `return 200` with the same body length.

bench/http/run.py --build build/fast [--seconds 4] [--rounds 3]: starts both servers on the loopback, loads them in
turn with wrk, and compares user + system CPU of the server process per request. Prints one JSON line per figure.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

BAR = 2.0
TICK = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, deadline: float = 10) -> None:
    end = time.monotonic() + deadline
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise


def cpu_seconds(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def start_controller(binary: Path, data: Path, port: int) -> tuple[subprocess.Popen, str]:
    server = subprocess.Popen([binary, "serve", "--data-dir", data, "--listen", f"127.0.0.1:{port}", "--log-level", "error"],
                              stdout=subprocess.DEVNULL)
    wait_for(port)
    url = subprocess.run([binary, "admin", "setup-url", "--data-dir", data], check=True, capture_output=True, text=True).stdout
    form = {"token": url.strip().partition("#token=")[2], "email": "a@example.com", "name": "Ana",
            "password": "correct horse battery", "workspace_name": "Bench"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/api/v1/setup", json.dumps(form), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    assert reply.status == 201, reply.read()
    return server, reply.getheader("Set-Cookie").partition(";")[0]


def start_nginx(folder: Path, port: int, body: str) -> tuple[subprocess.Popen, list[int]]:
    config = folder / "nginx.conf"
    config.write_text(f"""
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 1024; }}
http {{ access_log off; server {{ listen 127.0.0.1:{port}; default_type application/json; location / {{ return 200 '{body}'; }} }} }}
""")
    server = subprocess.Popen(["nginx", "-c", config, "-p", folder], stderr=subprocess.DEVNULL)
    wait_for(port)
    workers = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return server, [server.pid, *map(int, workers)]


def load(url: str, cookie: str, seconds: int, pids: list[int]) -> float:
    """Server CPU seconds per request."""
    before = cpu_seconds(pids)
    output = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", "-H", f"Cookie: {cookie}", url], check=True,
                            capture_output=True, text=True).stdout
    used = cpu_seconds(pids) - before
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"the load did not go through:\n{output}")
    return used / int(re.search(r"(\d+) requests in", output).group(1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    missing = [tool for tool in ("wrk", "nginx") if not shutil.which(tool)]
    if missing:
        print(json.dumps({"bench": "http", "figure": "small JSON GET with session check", "ok": False, "peer": f"missing: {missing}"}))
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        ours_port, peer_port = free_port(), free_port()
        ours, cookie = start_controller(options.build.resolve() / "apps/controller/netwatcher-controller", Path(scratch) / "data", ours_port)
        connection = http.client.HTTPConnection("127.0.0.1", ours_port)
        connection.request("GET", "/api/v1/session", headers={"Cookie": cookie})
        length = len(connection.getresponse().read())
        peer, peer_pids = start_nginx(Path(scratch), peer_port, "x" * length)
        try:
            rounds = [(load(f"http://127.0.0.1:{ours_port}/api/v1/session", cookie, options.seconds, [ours.pid]),
                       load(f"http://127.0.0.1:{peer_port}/", cookie, options.seconds, peer_pids)) for _ in range(options.rounds)]
        finally:
            for server in (ours, peer):
                server.terminate()
                server.wait()
    ratio = statistics.median(a / b for a, b in rounds)
    print(json.dumps({"bench": "http", "figure": "small JSON GET with session check, CPU per request (us)",
                      "ours": round(1e6 * statistics.median(a for a, _ in rounds), 2),
                      "peer": round(1e6 * statistics.median(b for _, b in rounds), 2),
                      "ratio": round(ratio, 2), "bar": BAR, "ok": ratio <= BAR}))
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
