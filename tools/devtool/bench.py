"""./dev bench: scripts (bench/<name>/run.py) and benchmark programs (bench/<name>), one after the other.

They measure, so nothing else is started beside them. bench/RESULTS.md records what they print.
"""

from pathlib import Path

from . import build, setup
from .shell import ROOT, Failure, heading, run, say

BENCH_TIMEOUT = 3600
WITH_DUCKDB = ("store", "ingest")


def names() -> list[str]:
    marks = [*ROOT.glob("bench/*/run.py"), *ROOT.glob("bench/*/CMakeLists.txt")]
    return sorted({m.parent.name for m in marks})


def programs(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*") if p.is_file() and p.stat().st_mode & 0o111 and p.suffix == "")


def run_one(name: str, preset: str, arguments: list[str]) -> bool:
    heading(f"bench {name}")
    if name in WITH_DUCKDB:  # the peer comes by npm
        setup.install_npm(ROOT / "bench/store")
    script = ROOT / "bench" / name / "run.py"
    if script.is_file():
        commands = [["python3", script, "--build", build.build_dir(preset), *arguments]]
    else:
        commands = [[p, *arguments] for p in programs(build.build_dir(preset) / "bench" / name)]
    if not commands:
        raise Failure(f"bench/{name} built no program")
    return all(run(command, timeout=BENCH_TIMEOUT).ok for command in commands)


def bench(preset: str, wanted: str, arguments: list[str]) -> int:
    known = names()
    if wanted and wanted not in known:
        raise Failure(f"no benchmark '{wanted}': {', '.join(known) or 'none yet'}")
    setup.ensure("build", "test", "bench")
    build.build(preset)
    failed = [name for name in ([wanted] if wanted else known) if not run_one(name, preset, arguments)]
    for name in failed:
        say(f"FAILED: {name}")
    return 1 if failed or not known else 0
