import unittest

from devtool import tally

DOCTEST_OUTPUT = """[doctest] doctest version is "2.4.9"
===============================================================================
[doctest] test cases: 12 | {passed} passed | {failed} failed | 0 skipped
[doctest] assertions: 99 | 99 passed |  0 failed |
[doctest] Status: x
"""


class DoctestCounts(unittest.TestCase):
    def test_cases_are_counted_not_programs(self):
        found = tally.from_doctest("net", DOCTEST_OUTPUT.format(passed=12, failed=0), ok=True)
        self.assertEqual(found.line(), "12 passed, 0 failed, 0 skipped")
        self.assertTrue(found.good)

    def test_a_case_that_says_it_was_skipped_did_not_pass(self):
        output = "SKIPPED raw sockets: needs root\n" + DOCTEST_OUTPUT.format(passed=12, failed=0)
        found = tally.from_doctest("probe", output, ok=True)
        self.assertEqual(found.line(), "11 passed, 0 failed, 1 skipped")
        self.assertEqual(found.skips, ["probe: raw sockets: needs root"])

    def test_failed_cases_count_one_by_one(self):
        found = tally.from_doctest("net", DOCTEST_OUTPUT.format(passed=10, failed=2), ok=False)
        self.assertEqual(found.line(), "10 passed, 2 failed, 0 skipped")

    def test_a_program_that_dies_is_a_failure(self):
        found = tally.from_doctest("net", "AddressSanitizer: heap-use-after-free", ok=False)
        self.assertEqual(found.failed, 1)

    def test_a_leak_after_the_last_case_is_a_failure(self):
        found = tally.from_doctest("net", DOCTEST_OUTPUT.format(passed=12, failed=0), ok=False)
        self.assertEqual(found.failed, 1)

    def test_a_program_without_cases_is_a_failure(self):
        output = DOCTEST_OUTPUT.replace("12", "0").format(passed=0, failed=0)
        self.assertEqual(tally.from_doctest("net", output, ok=True).failed, 1)


class LineCounts(unittest.TestCase):
    def test_the_last_summary_line_counts(self):
        found = tally.from_lines("lab", "ok a\nnot ok b\nskip c needs root\n1 passed, 1 failed, 1 skipped\n", ok=False)
        self.assertEqual(found.line(), "1 passed, 1 failed, 1 skipped")
        self.assertEqual(found.failures, ["b"])
        self.assertEqual(found.skips, ["c needs root"])

    def test_no_summary_is_a_failure(self):
        self.assertEqual(tally.from_lines("lab", "ok a\n", ok=True).failed, 1)

    def test_a_bad_exit_code_is_a_failure(self):
        self.assertEqual(tally.from_lines("lab", "1 passed, 0 failed, 0 skipped\n", ok=False).failed, 1)


class VitestCounts(unittest.TestCase):
    def report(self, *statuses: str, file_status: str = "passed") -> dict:
        cases = [{"status": s, "fullName": f"case {n}"} for n, s in enumerate(statuses)]
        return {"testResults": [{"name": "/x/a.test.ts", "status": file_status, "assertionResults": cases}]}

    def test_each_state_has_its_count(self):
        found = tally.from_vitest("panel", self.report("passed", "failed", "pending", "skipped"), ok=False)
        self.assertEqual(found.line(), "1 passed, 1 failed, 2 skipped")

    def test_a_failed_case_is_named_with_its_messages(self):
        report = self.report("passed", "failed", file_status="failed")
        report["testResults"][0]["assertionResults"][1]["failureMessages"] = ["\x1b[31mexpected 1\x1b[39m to be 2", "at a.ts:3"]
        self.assertEqual(tally.from_vitest("panel", report, ok=False).failures, ["a.test.ts: case 1: expected 1 to be 2"])
        self.assertEqual(tally.vitest_complaints(report), ["a.test.ts: case 1\nexpected 1 to be 2\nat a.ts:3"])

    def test_a_file_that_fails_outside_of_its_cases_says_why(self):
        report = self.report("passed", file_status="failed")
        report["testResults"][0]["message"] = "no Chromium"
        self.assertEqual(tally.vitest_complaints(report), ["a.test.ts: no Chromium"])
        self.assertEqual(tally.vitest_complaints(self.report("passed", "pending")), [])

    def test_a_file_that_does_not_load_is_a_failure(self):
        found = tally.from_vitest("panel", self.report(file_status="failed"), ok=False)
        self.assertEqual(found.failed, 1)

    def test_no_report_is_a_failure(self):
        self.assertEqual(tally.from_vitest("panel", None, ok=True).failed, 1)


class Totals(unittest.TestCase):
    def test_nothing_run_is_not_good(self):
        self.assertFalse(tally.Tally().good)
        self.assertFalse(tally.Tally(skipped=3).good)

    def test_sums_keep_the_names(self):
        total = tally.Tally(passed=1)
        total.add(tally.Tally(failed=1, failures=["x"]), "lab: ")
        self.assertEqual(total.line(), "1 passed, 1 failed, 0 skipped")
        self.assertEqual(total.failures, ["lab: x"])


if __name__ == "__main__":
    unittest.main()
