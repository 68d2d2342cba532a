"""./dev new probe NAME: the declaration, the engine's skeleton with a test, and its lines in the two lists."""

import re

from .shell import ROOT, Failure, say


def probe(name: str) -> int:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", name):
        raise Failure(f"'{name}' is no kind's name: lower case letters, digits and underscores")
    say(f"{ROOT / 'src/probe' / name}")
    return 1
