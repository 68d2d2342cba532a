#!/usr/bin/env python3
"""Samples from WebSocket to durable acknowledgement: bench/ingest/run.py --build build/fast [--rows 1000000]."""

import argparse
import subprocess
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--build", type=Path, required=True)
parser.add_argument("--rows", default="1000000")
options = parser.parse_args()
build = options.build.resolve()
raise SystemExit(subprocess.run([build / "bench/ingest/bench_ingest", build / "apps/controller/netwatcher-controller",
                                 options.rows]).returncode)
