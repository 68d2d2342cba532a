"""Installs what a verb needs: Debian packages (tools/packages.txt), Node, the panel's npm packages."""

import hashlib
import re
import shutil
from pathlib import Path

from .shell import NODE_BIN, ROOT, STATE, Failure, heading, is_root, must, run, say

PACKAGE_LIST = ROOT / "tools/packages.txt"
NODE_WANTED = (20, 19)
APT_ENV = {"DEBIAN_FRONTEND": "noninteractive"}


def packages(sections: set[str]) -> list[str]:
    chosen, section = [], ""
    for line in PACKAGE_LIST.read_text().splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("["):
            section = text.strip("[]")
        elif text and section in sections:
            chosen.append(text)
    return chosen


def missing_packages(wanted: list[str]) -> list[str]:
    if not shutil.which("dpkg-query"):
        raise Failure("this is not a Debian system: install what tools/packages.txt lists by other means, "
                      "then use cmake --preset fast directly")
    listed = run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *wanted], capture=True, timeout=60)
    installed = {line.split()[0] for line in listed.output.splitlines() if line.rstrip().endswith(" ii")}
    return [name for name in wanted if name not in installed]


def apt_install(names: list[str]) -> None:
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *names]
    if not is_root():
        raise Failure("packages are missing, and installing them needs root. Run this once, then try again:\n\n"
                      f"    sudo apt-get update && sudo {' '.join(command[:2] + command[4:])}\n")
    heading(f"installing {len(names)} Debian packages")
    retries = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"]
    must(["apt-get", "update", "-q", *retries], "apt-get update failed", env=APT_ENV, timeout=600, capture=True)
    must([*command, *retries], "apt-get install failed", env=APT_ENV, timeout=1500, capture=True)


def node_version() -> tuple[int, ...]:
    outcome = run(["node", "--version"], capture=True, timeout=30)
    return tuple(int(n) for n in re.findall(r"\d+", outcome.output)[:2]) if outcome.ok else (0, 0)


def digest(*files: Path) -> str:
    seen = hashlib.sha256()
    for file in sorted(files):
        seen.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return seen.hexdigest()


def stamp_matches(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def install_node() -> None:
    """Debian 12 has Node 18; the panel's tools want 20.19. The npm registry carries Node itself as a package."""
    lock = ROOT / "tools/node/package-lock.json"
    home = STATE / "node"
    if node_version() >= NODE_WANTED and run(["npm", "--version"], capture=True, timeout=60).ok:
        return
    if not shutil.which("npm"):
        lacking = missing_packages(packages({"node"}))
        if lacking:
            apt_install(lacking)
    heading("installing Node from the npm registry into .dev/node")
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lock.with_name(name), home / name)
    must(["npm", "ci", "--no-audit", "--no-fund"], "npm could not fetch Node", cwd=home, timeout=600, capture=True)
    # npm links no program for a package that carries Node itself.
    for program in home.glob("node_modules/node-linux-*/bin/node"):
        link = NODE_BIN / "node"
        link.unlink(missing_ok=True)
        link.symlink_to(program)
    if node_version() < NODE_WANTED:
        raise Failure(f"{NODE_BIN}/node does not run here: install Node >= 20.19 and try again")


def install_npm(folder: Path) -> None:
    """npm ci, only when the lock changed since the last one."""
    lock = folder / "package-lock.json"
    stamp = folder / "node_modules/.lock-digest"
    value = digest(lock, folder / "package.json")
    if stamp_matches(stamp, value):
        return
    say(f"npm ci in {folder.relative_to(ROOT)}")
    must(["npm", "ci", "--no-audit", "--no-fund"], f"npm ci failed in {folder}", cwd=folder, timeout=900, capture=True)
    stamp.write_text(value)


def npm_folders() -> list[Path]:
    return [folder for folder in (ROOT / "panel",) if (folder / "package-lock.json").is_file()]


def ensure(*sections: str) -> None:
    """Everything the sections name, and Node with the npm packages when there is anything built with it."""
    lacking = missing_packages(packages(set(sections)))
    if lacking:
        apt_install(lacking)
    folders = npm_folders()
    if folders:
        install_node()
    for folder in folders:
        install_npm(folder)
