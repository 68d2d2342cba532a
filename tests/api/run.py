#!/usr/bin/env python3
"""Holds a real controller to its API: contract, tenants, sign-in, enrolment, configuration, route changes.

    run.py --build build/fast [FILTER]

FILTER runs the checks whose name contains it. Prints `ok NAME`, `not ok NAME why` or `skip NAME why`, and ends with
`N passed, N failed, N skipped`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import auth
import configuration
import cross_tenant
import enrolment
import installation
import openapi
import panel_files
import reroute
import revocation
import traces
from harness import Tally

GROUPS = (openapi, cross_tenant, auth, enrolment, installation, revocation, reroute, traces, configuration, panel_files)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--long", action="store_true", help="accepted like the other suites do; nothing here takes longer")
    parser.add_argument("filter", nargs="?", default="")
    arguments = parser.parse_args()
    tally = Tally(arguments.filter)
    names = [group.__name__ for group in GROUPS]
    for group in GROUPS:
        # A filter that begins with a group's name needs no other group.
        if any(arguments.filter.startswith(n) for n in names) and not arguments.filter.startswith(group.__name__):
            continue
        with tempfile.TemporaryDirectory(prefix="nw-api-") as scratch:
            try:
                group.run(arguments.build.resolve(), Path(scratch), tally)
            except Exception as error:  # what a group prepares for its checks can fail as well; the other groups still run
                print(f"not ok {group.__name__} {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
                tally.failed += 1
    if not tally.passed + tally.failed + tally.skipped:
        print(f"not ok filter nothing matches {arguments.filter}")
        tally.failed += 1
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
