"""A real agent beside the controller."""

import json
import signal
import subprocess
from pathlib import Path

from harness import Controller, need, wait_for

STOPS_WITHIN_S = 5


class Agent:
    """`netwatcher-agent run` on its own data directory, from entry to exit of the block."""

    def __init__(self, controller: Controller, data: Path) -> None:
        self.controller = controller
        self.data = data
        self.process: subprocess.Popen | None = None

    def enrol(self, token: str) -> "Agent":
        command = [self.controller.agent_program, "enroll", "--controller", self.controller.base, "--token", token, "--data-dir", self.data]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        need(done.returncode == 0, f"enroll: {done.stderr}")
        return self

    def __enter__(self) -> "Agent":
        with (self.controller.scratch / f"{self.data.name}.log").open("a") as log:
            self.process = subprocess.Popen([self.controller.agent_program, "run", "--data-dir", self.data], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        return (self.controller.scratch / f"{self.data.name}.log").read_text()

    def status(self) -> dict:
        """What it says of itself; nothing while it is starting."""
        need(self.process.poll() is None, f"the agent ended by itself, code {self.process.returncode}")
        done = subprocess.run([self.controller.agent_program, "status", "--output", "json", "--data-dir", self.data], capture_output=True, text=True,
                              timeout=20)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def link(self) -> str:
        return self.status().get("link", {}).get("state", "")

    def stopped(self) -> bool:
        return self.status().get("measuring") is False

    def comes_on(self) -> None:
        wait_for("the agent to be connected", lambda: self.link() == "connected")

    def stops(self) -> None:
        wait_for("the agent to stop measuring", self.stopped, STOPS_WITHIN_S)
        need((self.data / "identity.json").exists() and (self.data / "spool.db").exists(), "the agent deleted something of its own")
