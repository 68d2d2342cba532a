#!/usr/bin/env python3
"""Fails when a module includes one that layers.toml does not let it see.

Run by CTest and by ./dev check. The allowed graph must itself be free of cycles.
"""

import re
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+"(?P<module>\w+)/', re.MULTILINE)


def violations(src: Path, allowed: dict[str, list[str]]) -> list[str]:
    found = []
    for file in sorted(src.rglob("*.[ch]pp")):
        module = file.relative_to(src).parts[0]
        if module not in allowed:
            found.append(f"{file}: module '{module}' is not in layers.toml")
            continue
        visible = {module, *allowed[module]}
        for seen in INCLUDE.findall(file.read_text()):
            if seen not in visible:
                found.append(f"{file}: '{module}' may not include '{seen}'")
    return found


def main() -> int:
    root = Path(sys.argv[1])
    allowed = tomllib.loads((root / "layers.toml").read_text())["modules"]
    try:
        list(TopologicalSorter(allowed).static_order())
    except CycleError as error:
        print("layers.toml has a cycle:", " -> ".join(error.args[1]))
        return 1
    found = violations(root / "src", allowed)
    print("\n".join(found) or f"{len(allowed)} modules, no violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
