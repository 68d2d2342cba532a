#!/usr/bin/env python3
"""Idle agents' memory and the reconnect storm: bench/agents/run.py --build build/fast [--agents 5000]."""

import argparse
import subprocess
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--build", type=Path, required=True)
parser.add_argument("--agents", default="5000")
options = parser.parse_args()
build = options.build.resolve()
raise SystemExit(subprocess.run([build / "bench/agents/bench_agents", build / "apps/controller/netwatcher-controller",
                                 options.agents]).returncode)
