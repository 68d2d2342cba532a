"""./dev new probe NAME: the declaration, the engine with a test, and its lines in the two hand-written lists.

What it writes compiles and passes its tests as it is; the measurement itself says "not measured" until written.
"""

import re
from pathlib import Path

from .shell import ROOT, Failure, say

TEMPLATES = ROOT / "tools/templates/probe"
KINDS = ROOT / "src/model/kinds"
ENGINES = ROOT / "src/probe/engines.cpp"
RESERVED = {"all", "none", "auto", "new", "int", "double", "float", "char", "void", "default", "delete", "probe"}


def next_number() -> int:
    """Numbers are on the wire and never reused, so a new kind gets one above all that ever were."""
    texts = [file.read_text() for file in KINDS.glob("*.cpp")]
    return max(int(n) for text in texts for n in re.findall(r"^\s+\.number = (\d+),", text, re.MULTILINE)) + 1


def filled(template: str, name: str, number: int) -> str:
    text = (TEMPLATES / template).read_text()
    label = name.replace("_", " ").capitalize()
    camel = "".join(part.capitalize() for part in name.split("_"))
    for mark, value in (("@name@", name), ("@Name@", camel), ("@NAME@", label), ("@number@", str(number))):
        text = text.replace(mark, value)
    return text


def insert_line(file: Path, before: str, line: str) -> None:
    text = file.read_text()
    if before not in text:
        raise Failure(f"{file} has no '{before.strip()}' to put the new line at")
    file.write_text(text.replace(before, f"{line}\n{before}", 1))


def enlist(name: str) -> None:
    every = KINDS / "all.cpp"
    text = every.read_text()
    listed = re.search(r"return Kinds\(\{(.*?)\}\);", text, re.DOTALL)
    if not listed:
        raise Failure(f"{every} has no list of kinds")
    every.write_text(text.replace(listed.group(0), f"return Kinds({{{listed.group(1).rstrip()}, &kinds::{name}}});"))
    insert_line(every, "\nnamespace nw {", f'#include "model/kinds/{name}.hpp"')
    insert_line(ENGINES, "\nnamespace nw::probe {", f'#include "probe/{name}/engine.hpp"')
    insert_line(ENGINES, "    return engines;", f"    engines.push_back({name}::make_{name}_engine(context));")


def probe(name: str) -> int:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", name) or name in RESERVED:
        raise Failure(f"'{name}' is no kind's name: lower case letters, digits and underscores")
    engine = ROOT / "src/probe" / name
    if engine.exists() or (KINDS / f"{name}.cpp").exists():
        raise Failure(f"there is a kind '{name}' already")
    number = next_number()
    engine.mkdir()
    made = {KINDS / f"{name}.hpp": "kind.hpp", KINDS / f"{name}.cpp": "kind.cpp"}
    made |= {engine / f: f for f in ("engine.hpp", "engine.cpp", "measure.hpp", "measure_port.cpp", "engine_test.cpp")}
    for file, template in made.items():
        file.write_text(filled(template, name, number))
        say(f"wrote {file.relative_to(ROOT)}")
    enlist(name)
    say(f"\nKind {number} is listed in src/model/kinds/all.cpp and src/probe/engines.cpp. Next: declare its settings,"
        f"\ncolumns and metrics, write src/probe/{name}/measure_port.cpp, and run ./dev test '^(model|probe)$'.")
    return 0
