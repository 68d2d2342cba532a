import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from devtool import processes


class Background(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        for name in ("RUN", "LOGS"):
            patch = mock.patch.object(processes, name, Path(self.scratch.name) / name)
            patch.start()
            self.addCleanup(patch.stop)

    def test_a_started_process_is_known_and_stops_for_good(self):
        pid = processes.start("sleeper", ["sleep", "60"])
        self.assertEqual(processes.running("sleeper"), pid)
        self.assertEqual(processes.start("sleeper", ["sleep", "60"]), pid, "a second start finds the first")
        self.assertTrue(processes.stop("sleeper"))
        self.assertIsNone(processes.running("sleeper"))
        self.assertFalse(processes.stop("sleeper"))

    def test_a_number_that_means_another_process_is_left_alone(self):
        processes.RUN.mkdir(parents=True)
        (processes.RUN / "other.pid").write_text(f"{os.getpid()} 1")
        self.assertIsNone(processes.running("other"))
        self.assertFalse(processes.stop("other"))

    def test_a_process_that_dies_ends_the_wait_with_its_words(self):
        processes.start("brief", ["sh", "-c", "echo last words; exit 3"])
        with self.assertRaisesRegex(processes.Failure, "last words"):
            processes.wait_until("waiting", lambda: False, ["brief"], seconds=10)


if __name__ == "__main__":
    unittest.main()
