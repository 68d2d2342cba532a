"""Fuzzing: every target for the same time, on its committed corpus; new finds stay in .dev/fuzz."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import build
from .shell import ROOT, STATE, Failure, heading, run, say
from .tally import Tally

CORPORA = ROOT / "tests/fuzz/corpus"


def targets() -> list[str]:
    tools = {"nw_fuzz_make_seeds", "nw_fuzz_replay"}
    return sorted(t for t in build.targets_of("fuzz") - tools if t.startswith("nw_fuzz_"))


def program(target: str) -> Path:
    return build.build_dir("fuzz") / "tests/fuzz" / target


def fuzz_one(target: str, seconds: int) -> tuple[str, bool]:
    """New inputs go to .dev/fuzz, so that a run never changes the checkout; a crash's input is kept beside them."""
    found = STATE / "fuzz" / target
    found.mkdir(parents=True, exist_ok=True)
    corpus = CORPORA / target.removeprefix("nw_fuzz_")
    command = [program(target), found, *([corpus] if corpus.is_dir() else []), f"-max_total_time={seconds}",
               "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={found}/"]
    outcome = run(command, timeout=seconds + 120, capture=True)
    runs = [line.split()[-1] for line in outcome.output.splitlines() if "number_of_executed_units" in line]
    say(f"  {target}: {runs[0] if runs else '0'} inputs in {outcome.seconds:.0f} s{'' if outcome.ok else ' FAILED'}")
    if not outcome.ok:
        say("\n".join([line for line in outcome.output.splitlines() if not line.startswith("#")][-50:]))
    return target, outcome.ok and bool(runs)


def suite(seconds: int) -> Tally:
    heading(f"fuzzing ({seconds} s each)")
    build.configure("fuzz")
    names = targets()
    if not names:
        raise Failure("tests/fuzz declares no target")
    build.compile_targets("fuzz", names)
    tally = Tally()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for name, ok in pool.map(lambda target: fuzz_one(target, seconds), names):
            if ok:
                tally.passed += 1
            else:
                tally.fail(name)
    return tally
