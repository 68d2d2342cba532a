"""Counting tests: every suite reports here, the one summary line comes from here."""

import re
from dataclasses import dataclass, field

SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.MULTILINE)
DOCTEST = re.compile(r"^\[doctest\] test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed", re.MULTILINE)
# A doctest case that cannot run here says so in one line on standard output (nw::testing::skip).
SKIPPED = re.compile(r"^SKIPPED (.+)$", re.MULTILINE)

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)

    def add(self, other: "Tally", prefix: str = "") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += [prefix + name for name in other.failures]
        self.skips += [prefix + name for name in other.skips]

    def fail(self, name: str) -> None:
        self.failed += 1
        self.failures.append(name)

    def skip(self, name: str) -> None:
        self.skipped += 1
        self.skips.append(name)

    def line(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    @property
    def good(self) -> bool:
        return self.failed == 0 and self.passed > 0


def from_doctest(name: str, output: str, ok: bool) -> Tally:
    """The cases of one doctest program. One that died before its summary is one failure."""
    tally = Tally()
    found = DOCTEST.search(output)
    if not found:
        tally.fail(f"{name} ended without a doctest summary")
        return tally
    _, tally.passed, tally.failed = (int(n) for n in found.groups())
    tally.failures += [name] * tally.failed
    for why in SKIPPED.findall(output):
        tally.passed -= 1
        tally.skip(f"{name}: {why}")
    if not ok and tally.failed == 0:
        tally.fail(f"{name} passed its cases but ended badly (sanitizer or crash at exit)")
    elif tally.passed + tally.failed + tally.skipped == 0:
        tally.fail(f"{name} ran no test at all")
    return tally


def from_lines(name: str, output: str, ok: bool) -> Tally:
    """Programs that print `ok NAME`, `not ok NAME`, `skip NAME why` and end with the summary line."""
    tally = Tally()
    found = SUMMARY.findall(output)
    if not found:
        tally.fail(f"{name} ended without its summary line")
        return tally
    tally.passed, tally.failed, tally.skipped = (int(n) for n in found[-1])
    tally.failures = re.findall(r"^not ok (.+)$", output, re.MULTILINE) or [name] * tally.failed
    tally.skips = re.findall(r"^skip (.+)$", output, re.MULTILINE)
    if not ok and tally.failed == 0:
        tally.fail(f"{name} ended badly after its summary")
    return tally


def first_lines(messages: list[str] | None) -> list[str]:
    """The beginning of the first message: enough for a summary."""
    return [ANSI.sub("", message).splitlines()[0][:200] for message in (messages or [])[:1] if message]


def vitest_complaints(report: dict) -> list[str]:
    """What Vitest says of each failure: the case by its full name with its messages, or why a file did not load."""
    said = []
    for file in report["testResults"]:
        short = file["name"].rsplit("/", 1)[-1]
        failed = [case for case in file["assertionResults"] if case["status"] == "failed"]
        for case in failed:
            said.append("\n".join([f"{short}: {case['fullName'].strip()}", *case.get("failureMessages", [])]))
        if file["status"] == "failed" and not failed:
            said.append(f"{short}: {file.get('message') or 'failed outside of its cases, without a message'}")
    return [ANSI.sub("", text) for text in said]


def from_vitest(name: str, report: dict | None, ok: bool) -> Tally:
    tally = Tally()
    if report is None:
        tally.fail(f"{name} wrote no report")
        return tally
    for file in report["testResults"]:
        for case in file["assertionResults"]:
            title = f"{file['name'].rsplit('/', 1)[-1]}: {case['fullName'].strip()}"
            if case["status"] == "passed":
                tally.passed += 1
            elif case["status"] == "failed":
                tally.fail(": ".join([title, *first_lines(case.get("failureMessages"))]))
            else:
                tally.skip(title)
        if file["status"] == "failed" and not any(c["status"] == "failed" for c in file["assertionResults"]):
            tally.fail(f"{file['name'].rsplit('/', 1)[-1]} did not load: {file.get('message', '')[:200]}")
    if not ok and tally.failed == 0:
        tally.fail(f"{name} ended badly after its tests")
    return tally
