"""Builds: the panel first, because the controller carries it, then CMake and Ninja."""

import json
from pathlib import Path

from . import setup
from .shell import ROOT, STATE, Failure, must, run, say, tracked_files

PRESETS = ("dev", "fast", "tsan", "release", "fuzz")
BUILD_TIMEOUT = 3600


def build_dir(preset: str) -> Path:
    return ROOT / "build" / preset


def build_panel() -> None:
    """panel/dist from the sources, skipped when neither they nor the API's description changed."""
    panel = ROOT / "panel"
    if not (panel / "package.json").is_file():
        return
    sources = [f for f in tracked_files("", under=("panel", "docs/openapi.yaml")) if ".test." not in f.name]
    stamp = STATE / "panel-digest"
    value = setup.digest(*sources)
    if setup.stamp_matches(stamp, value) and (panel / "dist/index.html").is_file():
        return
    say("building the panel")
    must(["npm", "run", "build"], "the panel does not build", cwd=panel, timeout=600, capture=True)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(value)


def configure(preset: str) -> None:
    if preset not in PRESETS:
        raise Failure(f"no preset '{preset}': {', '.join(PRESETS)}")
    folder = build_dir(preset)
    newest = max(p.stat().st_mtime for p in [ROOT / "CMakePresets.json", *ROOT.glob("cmake/*.cmake")])
    cache = folder / "CMakeCache.txt"
    if cache.is_file() and (folder / "build.ninja").is_file() and cache.stat().st_mtime >= newest:
        # New files and edited lists: what is asked of the build next must know them.
        must(["ninja", "-C", folder, "build.ninja"], "CMake could not configure", timeout=300, capture=True)
        return
    must(["cmake", "--preset", preset], "CMake could not configure", timeout=300, capture=True)
    cache.touch()


def targets_of(preset: str) -> set[str]:
    """The names `ninja` accepts that are programs or libraries of ours."""
    listed = run(["ninja", "-C", build_dir(preset), "-t", "targets", "all"], capture=True, timeout=60)
    names = (line.split(":")[0] for line in listed.output.splitlines())
    ours = ("nw_", "netwatcher", "bench_", "store_")
    return {name for name in names if name.startswith(ours) and "/" not in name}


def compile_targets(preset: str, targets: list[str] | None = None) -> None:
    configure(preset)
    command = ["cmake", "--build", "--preset", preset]
    if targets:
        command += ["--target", *targets]
    must(command, f"the {preset} build failed", timeout=BUILD_TIMEOUT)


def build(preset: str = "fast", targets: list[str] | None = None) -> None:
    build_panel()
    compile_targets(preset, targets)


def ctest_entries(preset: str) -> list[dict]:
    """What CTest knows: name, command and properties of every registered test; no command while its program is unbuilt."""
    listed = must(["ctest", "--show-only=json-v1"], "CTest cannot list the tests", cwd=build_dir(preset), timeout=60,
                  capture=True)
    entries = []
    for test in json.loads(listed.output)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        entries.append({"name": test["name"], "command": test.get("command", []), "properties": properties})
    return entries
