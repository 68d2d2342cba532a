#!/usr/bin/env python3
"""Fails on functions of more than 70 lines, in C++ and in Python, over the whole tree in a second.

clang-tidy's readability-function-size is exact but needs a compiler's time per file; this one relies on the
format that .clang-format enforces: the brace that opens a function's body stands alone on its line, and the one
that closes it stands in the same column.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

LINES_MAX = 70
OPENS = re.compile(r"^(\s*)\{$")


def cxx_functions(text: str):
    """(first line, length) of every body; a body inside another one is the outer one's business."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opened = OPENS.match(lines[number])
        if not opened:
            number += 1
            continue
        close = opened.group(1) + "}"
        end = next((n for n in range(number + 1, len(lines)) if lines[n].rstrip(";") == close), len(lines) - 1)
        yield number + 1, end - number - 1
        number = end + 1


def python_functions(text: str):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def files(root: Path) -> list[Path]:
    listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, text=True, check=False).stdout.splitlines()
    return sorted(root / name for name in [*listed, "dev"])


def main() -> int:
    root = Path(sys.argv[1])
    found, seen = [], 0
    for file in files(root):
        if not file.is_file():
            continue
        if file.suffix in (".cpp", ".hpp", ".cc"):
            functions = cxx_functions(file.read_text())
        elif file.suffix == ".py":
            functions = python_functions(file.read_text())
        else:
            continue
        for line, length in functions:
            seen += 1
            if length > LINES_MAX:
                found.append(f"{file.relative_to(root)}:{line}: {length} lines, {LINES_MAX} are allowed")
    print("\n".join(found) or f"{seen} functions, none over {LINES_MAX} lines")
    return 1 if found or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
