"""./dev test: every suite, counted case by case, ending with the one summary line."""

import json
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import build, fuzz, setup, tally
from .shell import ROOT, Failure, Outcome, heading, run, say
from .tally import Tally

# What a decoder, an engine, a store or a session can corrupt is found by sanitizers; the rest runs there in --full.
SANITIZED = ["nw_base_test", "nw_wire_test", "nw_packet_test", "nw_spool_test", "nw_net_test", "nw_probe_test", "nw_store_test", "nw_ingest_test",
             "nw_agent_test"]
TEST_TIMEOUT = 900  # sanitizers on a busy two-core machine take several times as long
E2E_CONFIG = ROOT / "tests/e2e/vitest.config.ts"
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:halt_on_error=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={ROOT}/tools/tsan.supp",
}


@dataclass
class Options:
    full: bool = False
    long: bool = False
    filter: str = ""

    def wants(self, suite: str) -> bool:
        return not self.filter or bool(re.search(self.filter, suite))


def show_failure(name: str, outcome: Outcome) -> None:
    reason = f"no end within {outcome.seconds:.0f} s" if outcome.timed_out else f"exit code {outcome.code}"
    tail = "\n".join(outcome.output.splitlines()[-120:])
    say(f"---- {name}: {reason}\n{tail}\n----")


def listed_environment(properties: dict) -> dict[str, str]:
    """CTest's ENVIRONMENT property: K=V, one or a list."""
    given = properties.get("ENVIRONMENT", [])
    return dict(item.split("=", 1) for item in ([given] if isinstance(given, str) else given))


def run_entry(entry: dict, long: bool) -> Tally:
    """One CTest entry: doctest programs count by case, others by their exit code."""
    name, command, properties = entry["name"], entry["command"], entry["properties"]
    if not command:
        return Tally(failed=1, failures=[f"{name}: its program was not built"])
    timeout = float(properties.get("TIMEOUT", 0)) or TEST_TIMEOUT
    env = SANITIZER_ENV | {"NW_LONG": "1" if long else "0"} | listed_environment(properties)
    cwd = Path(properties.get("WORKING_DIRECTORY", ROOT))
    outcome = run(command, cwd=cwd, env=env, timeout=timeout, capture=True)
    if Path(command[0]).name.endswith("_test"):
        found = tally.from_doctest(name, outcome.output, outcome.ok)
    elif tally.SUMMARY.search(outcome.output):
        found = tally.from_lines(name, outcome.output, outcome.ok)
    else:
        found = Tally(passed=int(outcome.ok))
        if not outcome.ok:
            found.fail(name)
    if found.failed:
        show_failure(name, outcome)
    say(f"  {name}: {found.line()} ({outcome.seconds:.1f} s)")
    return found


def run_entries(entries: list[dict], long: bool) -> Tally:
    """Two at a time; those that measure or use the whole machine (RUN_SERIAL) alone, afterwards."""
    total = Tally()
    serial = [e for e in entries if e["properties"].get("RUN_SERIAL")]
    shared = [e for e in entries if not e["properties"].get("RUN_SERIAL")]
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda e: run_entry(e, long), shared):
            total.add(found)
    for entry in serial:
        total.add(run_entry(entry, long))
    return total


def selected(entries: list[dict], options: Options) -> list[dict]:
    chosen = []
    for entry in entries:
        if options.filter and not re.search(options.filter, entry["name"]):
            continue
        if "long" in entry["properties"].get("LABELS", []) and not options.long:
            say(f"  not run without --long: {entry['name']}")
            continue
        chosen.append(entry)
    return chosen


def program_targets(entries: list[dict], preset: str) -> list[str]:
    """The build targets behind the chosen entries; everything when one of them is not a program of its own."""
    known = build.targets_of(preset)
    wanted = {Path(e["command"][0]).name if e["command"] else f"nw_{e['name']}_test" for e in entries}
    return sorted(wanted) if wanted <= known else []


def cxx_suite(options: Options) -> Tally:
    heading("building (fast)")
    build.configure("fast")
    if options.filter:
        chosen = selected(build.ctest_entries("fast"), options)
        if not chosen:
            return Tally()
        build.compile_targets("fast", program_targets(chosen, "fast"))
    else:
        build.compile_targets("fast")
    heading("C++")
    return run_entries(selected(build.ctest_entries("fast"), options), options.long)


def sanitizer_suite(preset: str, options: Options) -> Tally:
    """In the fuzz build, so that its objects serve the fuzz targets too: the same ASan and UBSan as dev."""
    heading(f"sanitizers ({preset})")
    build.configure(preset)
    known = build.targets_of(preset)
    targets = sorted(t for t in known if t.endswith("_test")) if options.full else [t for t in SANITIZED if t in known]
    if not targets:
        raise Failure(f"no sanitizer targets in preset {preset}")
    build.compile_targets(preset, targets)
    entries = [e for e in build.ctest_entries(preset) if e["command"] and Path(e["command"][0]).name in targets]
    return run_entries(entries, options.long)


def vitest_suite(folder: Path, config: list, timeout: float, env: dict[str, str] | None = None, name: str = "") -> Tally:
    name = name or str(folder.relative_to(ROOT))
    heading(f"{name} (Vitest)")
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = ["npx", "--no-install", "vitest", "run", *config, "--reporter=json", f"--outputFile={report}"]
        outcome = run(command, cwd=folder, env=env, timeout=timeout, capture=True)
        result = json.loads(report.read_text()) if report.is_file() else None
    found = tally.from_vitest(name, result, outcome.ok)
    complaints = tally.vitest_complaints(result) if result else []
    for complaint in complaints:
        say(f"---- {name}: {complaint}\n----")
    if found.failed and not complaints:
        show_failure(name, outcome)
    say(f"  {name}: {found.line()} ({outcome.seconds:.1f} s)")
    return found


def script_suite(name: str, title: str, options: Options) -> Tally:
    """tests/<name>/run.py: prints ok, not ok and skip lines, and ends with the summary line."""
    heading(title)
    command = [sys.executable, ROOT / "tests" / name / "run.py", "--build", build.build_dir("fast")]
    outcome = run(command + (["--long"] if options.long else []), timeout=3600 if options.long else 600, capture=True)
    found = tally.from_lines(f"tests/{name}", outcome.output, outcome.ok)
    if found.failed:
        show_failure(f"tests/{name}", outcome)
    say(f"  {name}: {found.line()} ({outcome.seconds:.1f} s)")
    return found


def e2e_suite(options: Options) -> Tally:
    """The journeys use the panel's packages (Vitest, playwright-core) and Debian's chromium."""
    env = {"NW_BUILD": str(build.build_dir("fast"))} | ({"NW_LONG": "1"} if options.long else {})
    return vitest_suite(ROOT / "panel", ["--config", E2E_CONFIG], 3600 if options.long else 1200, env, "tests/e2e")


def devtool_suite() -> Tally:
    """The counting itself is tested: a summary that cannot be trusted is worth nothing."""
    outcome = run([sys.executable, "-m", "unittest", "discover", "-s", "tools", "-t", "tools", "-p", "*_test.py"], timeout=120, capture=True)
    ran = re.search(r"^Ran (\d+) tests?", outcome.output, re.MULTILINE)
    found = Tally(passed=int(ran.group(1)) if ran and outcome.ok else 0)
    if not outcome.ok or not found.passed:
        found.fail("tools")
        show_failure("tools", outcome)
    say(f"  tools: {found.line()}")
    return found


def plan(options: Options) -> list:
    """(name, function) of every suite this checkout has and the options ask for, in order."""
    steps = [("tools", devtool_suite), ("c++", lambda: cxx_suite(options))]
    if (ROOT / "panel/package.json").is_file():
        steps.append(("panel", lambda: vitest_suite(ROOT / "panel", [], 300)))
    for name, title in (("api", "API"), ("lab", "network laboratory"), ("durability", "durability")):
        if (ROOT / "tests" / name / "run.py").is_file():
            steps.append((name, lambda name=name, title=title: script_suite(name, title, options)))
    if E2E_CONFIG.is_file():
        steps.append(("e2e", lambda: e2e_suite(options)))
    steps.append(("sanitizers", lambda: sanitizer_suite("fuzz", options)))
    if options.full:
        steps.append(("tsan", lambda: sanitizer_suite("tsan", options)))
    if (ROOT / "tests/fuzz/CMakeLists.txt").is_file():
        steps.append(("fuzz", lambda: fuzz.suite(60 if options.full else 3)))
    if not options.filter:
        return steps
    named = [s for s in steps if s[0] != "c++" and options.wants(s[0])]
    return named or [s for s in steps if s[0] == "c++"]


def guarded(name: str, step) -> Tally:
    """A suite that cannot even be built is a failure of that suite; the others still run."""
    try:
        return step()
    except Failure as failure:
        say(str(failure))
        broken = Tally()
        broken.fail(f"{name}: {failure}")
        return broken


def report(total: Tally) -> None:
    heading("summary")
    for why in total.skips:
        say(f"skipped: {why}")
    for name in total.failures:
        say(f"FAILED: {name}")
    if total.passed == 0 and total.failed == 0:
        say("FAILED: nothing ran")
    say(total.line())


def test(options: Options) -> int:
    total = Tally()
    try:
        setup.ensure("build", "test")
        build.build_panel()
    except Failure as failure:
        say(str(failure))
        total.fail(f"setup: {failure}")
        report(total)
        return 1
    for name, step in plan(options):
        total.add(guarded(name, step), f"{name}: ")
    report(total)
    return 0 if total.good else 1
