#!/usr/bin/env python3
"""The panel's speed and heap: bench/panel/run.py --build build/fast [FILE ...]; see README.md."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="a build folder with the controller and the agent")
    parser.add_argument("file", nargs="*", help="parts of names of files; all of them by default")
    given = parser.parse_args()
    command = ["npm", "run", "bench", "--", *given.file]
    return subprocess.run(command, cwd=ROOT / "panel", env=os.environ | {"NW_BUILD": str(given.build.resolve())}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
