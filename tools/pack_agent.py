#!/usr/bin/env python3
"""Packs a built agent for the controller's downloads directory, from where install.sh fetches it.

  tools/pack_agent.py --build build/release --out DIRECTORY

The package is netwatcher-agent_VERSION_linux_ARCH.tar.gz with the stripped program, its systemd unit and the Debian
packages it needs. The same program makes the same bytes. Standard library only.
"""

import argparse
import gzip
import io
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MACHINES = {62: "amd64", 183: "arm64", 40: "armhf", 243: "riscv64"}  # e_machine of ELF
# What the program needs on Debian 12, where this machine cannot tell.
DEPENDS = ("libssl3", "libprotobuf-lite32", "libsqlite3-0", "libzstd1", "libsodium23", "libsimdjson14", "libfmt9",
           "libspdlog1.10", "libboost-json1.81.0", "libboost-url1.81.0")


def architecture(program: Path) -> str:
    head = program.read_bytes()[:20]
    if head[:4] != b"\x7fELF":
        sys.exit(f"{program} is no ELF program")
    machine = struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])[0]
    return MACHINES.get(machine, f"machine{machine}")


def stripped(program: Path) -> bytes:
    """Without debug information; as it is where there is no strip for it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / program.name
        shutil.copy(program, copy)
        if shutil.which("strip"):
            subprocess.run(["strip", "--strip-unneeded", copy], capture_output=True, check=False)
        return copy.read_bytes()


def depends(program: Path) -> list[str]:
    """The Debian packages of the libraries that it links, but for what every installation has."""
    always = {"libc6", "libgcc-s1", "libstdc++6"}
    try:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        files = [line.split("=> ")[1].split(" ")[0] for line in listed.splitlines() if "=> /" in line]
        owners = {owner_of(Path(file)) for file in files}
    except (OSError, subprocess.CalledProcessError):
        return sorted(DEPENDS)
    return sorted(owners - always) if None not in owners else sorted(DEPENDS)


def owner_of(file: Path) -> str | None:
    # Libraries are recorded under /usr/lib even where the loader found them by /lib.
    for candidate in dict.fromkeys((file, file.resolve(), Path("/usr") / file.relative_to("/"))):
        found = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    return None


def unit() -> bytes:
    """As installed by hand: under /usr/local."""
    text = (ROOT / "deploy/systemd/netwatcher-agent.service").read_text()
    return text.replace("=/usr/bin/", "=/usr/local/bin/").encode()


def add(archive: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(data), mode, 0
    archive.addfile(member, io.BytesIO(data))


def pack(build: Path, out: Path) -> Path:
    program = build / "apps/agent/netwatcher-agent"
    if not program.is_file():
        sys.exit(f"no {program}: build the agent first")
    version = (ROOT / "VERSION").read_text().strip()
    out.mkdir(parents=True, exist_ok=True)
    name = f"netwatcher-agent_{version}_linux_{architecture(program)}.tar.gz"
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, filename="") as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        add(archive, "netwatcher-agent", stripped(program), 0o755)
        add(archive, "netwatcher-agent.service", unit(), 0o644)
        add(archive, "depends", "".join(f"{d}\n" for d in depends(program)).encode(), 0o644)
    # In one step: the controller may be serving the one before.
    fresh = out / f".{name}.new"
    fresh.write_bytes(buffer.getvalue())
    fresh.chmod(0o644)
    fresh.rename(out / name)
    return out / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    print(pack(given.build, given.out))


if __name__ == "__main__":
    main()
