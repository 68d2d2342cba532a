#!/usr/bin/env python3
"""What a new trace costs the map of a large workspace, and what an answer costs: bench/topology/run.py --build build/fast."""

import argparse
import subprocess
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--build", type=Path, required=True)
options = parser.parse_args()
raise SystemExit(subprocess.run([options.build.resolve() / "bench/topology/bench_topology"]).returncode)
