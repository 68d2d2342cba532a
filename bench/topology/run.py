#!/usr/bin/env python3
"""What the map of a large workspace costs: bench/topology/run.py --build build/fast.

A new trace until it is on the map and the answer of now, then from stored runs the map of the past and one node or link
over a range. The store is made in a directory of its own that is removed afterwards."""

import argparse
import subprocess
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--build", type=Path, required=True)
options = parser.parse_args()
programs = options.build.resolve() / "bench/topology"
subprocess.run([programs / "bench_topology"], check=True)
with tempfile.TemporaryDirectory(prefix="nw-bench-") as scratch:
    subprocess.run([programs / "bench_past", scratch], check=True)
