"""./dev fmt and ./dev check: what must hold before a change is landed."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import build, setup, suites
from .shell import ROOT, Failure, git_lines, heading, must, run, say, tracked_files
from .tally import Tally

CXX_FOLDERS = ("src", "apps", "tests", "bench")
CXX_SUFFIXES = (".cpp", ".hpp", ".cc")


def changed_files() -> list[Path]:
    """Against the point where this branch left main; on main itself, what is not committed or landed last."""
    base = git_lines("merge-base", "HEAD", "main") or git_lines("merge-base", "HEAD", "origin/main")
    head = git_lines("rev-parse", "HEAD")
    reference = base[0] if base and base != head else "HEAD~1"
    names = set(git_lines("diff", "--name-only", reference)) | set(git_lines("ls-files", "--others", "--exclude-standard"))
    return sorted(ROOT / n for n in names if (ROOT / n).is_file())


def panel_has(script: str) -> bool:
    manifest = ROOT / "panel/package.json"
    return manifest.is_file() and script in json.loads(manifest.read_text()).get("scripts", {})


def cxx_files(everything: bool) -> list[Path]:
    """All of ours, or those this change touches."""
    known = set(tracked_files(*CXX_SUFFIXES, under=CXX_FOLDERS))
    return sorted(known if everything else known & set(changed_files()))


def fmt(everything: bool) -> int:
    setup.ensure("build", "test")
    files = cxx_files(everything)
    if files:
        must(["clang-format-19", "-i", *files], "clang-format failed")
    if panel_has("lint"):
        must(["npm", "run", "lint", "--", "--fix"], "eslint found what it cannot fix", cwd=ROOT / "panel", timeout=300)
    say(f"{len(files)} C++ files formatted")
    return 0


def check_format() -> str:
    files = cxx_files(everything=True)
    outcome = run(["clang-format-19", "--dry-run", "--Werror", *files], capture=True)
    names = sorted({line.split(":")[0] for line in outcome.output.splitlines() if "error:" in line})
    return "" if outcome.ok else "not formatted (./dev fmt): " + ", ".join(os.path.relpath(n, ROOT) for n in names)


def check_script(script: str) -> str:
    outcome = run(["python3", ROOT / "tools" / script, ROOT], capture=True)
    return "" if outcome.ok else outcome.output


def check_headers() -> str:
    build.configure("fast")
    outcome = run(["cmake", "--build", "--preset", "fast", "--target", "all_verify_interface_header_sets"],
                  timeout=build.BUILD_TIMEOUT, capture=True)
    return "" if outcome.ok else outcome.output[-4000:]


def check_tidy() -> str:
    """clang-tidy reads the whole of what a unit includes, so only what changed is looked at, two at a time."""
    database = build.build_dir("fast") / "compile_commands.json"
    known = {entry["file"] for entry in json.loads(database.read_text())}
    units = [str(f) for f in changed_files() if str(f) in known]

    def one(unit: str) -> str:
        outcome = run(["clang-tidy-19", "--quiet", "-p", database.parent, unit], timeout=300, capture=True)
        return "" if outcome.ok else outcome.output

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return "\n".join(filter(None, pool.map(one, units)))


def check_panel(script: str) -> str:
    outcome = run(["npm", "run", script], cwd=ROOT / "panel", timeout=300, capture=True)
    return "" if outcome.ok else outcome.output[-4000:]


def fast_tests() -> str:
    build.build("fast")
    entries = [e for e in build.ctest_entries("fast")
               if not {"slow", "long"} & set(e["properties"].get("LABELS", []))]
    total = suites.run_entries(entries, long=False)
    if (ROOT / "panel/package.json").is_file():
        total.add(suites.vitest_suite(ROOT / "panel", [], 300))
    say(total.line())
    return "" if total.good else "tests failed: " + ", ".join(total.failures)


def steps() -> list:
    listed = [("format", check_format), ("layers", lambda: check_script("check_layers.py")),
              ("function length", lambda: check_script("check_functions.py")), ("headers", check_headers),
              ("clang-tidy on changed files", check_tidy)]
    listed += [(f"panel: {name}", lambda name=name: check_panel(name)) for name in ("types:check", "typecheck", "lint", "budget")
               if panel_has(name)]
    return [*listed, ("fast tests", fast_tests)]


def check() -> int:
    setup.ensure("build", "test")
    build.build_panel()
    tally = Tally()
    for name, step in steps():
        heading(name)
        try:
            problem = step()
        except Failure as failure:
            problem = str(failure)
        if problem:
            say(problem)
            tally.fail(name)
        else:
            tally.passed += 1
    heading("check")
    for name in tally.failures:
        say(f"FAILED: {name}")
    say(f"{tally.passed} of {tally.passed + tally.failed} checks hold")
    return 0 if tally.good else 1
