import contextlib
import gzip
import io
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import embed_panel


class Embedding(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        self.dist = self.root / "dist"
        self.write("index.html", b"<html>" * 40)

    def write(self, name: str, content: bytes) -> Path:
        file = self.dist / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def embed(self) -> tuple[str, str]:
        data, table = self.root / "panel.S", self.root / "panel.cpp"
        with patch("sys.argv", ["embed_panel.py", str(self.dist), str(data), str(table)]):
            self.assertEqual(embed_panel.main(), 0)
        return data.read_text(), table.read_text()

    def test_what_gzip_makes_smaller_is_embedded_packed_only(self):
        plain = b"let a = 1\n" * 100
        self.write("assets/a-01234567.js", plain)
        packed = self.write("assets/a-01234567.js.gz", gzip.compress(plain))
        data, table = self.embed()
        self.assertIn("a-01234567.js.gz", data)
        self.assertNotIn('a-01234567.js"', data)
        self.assertIn(f'"", std::string_view(nw_panel_0_gzip, {packed.stat().st_size}), "", 1000}}', table)

    def test_what_it_does_not_is_embedded_as_it_is(self):
        font = self.write("assets/f-01234567.woff2", bytes(range(256)))
        self.write("assets/f-01234567.woff2.gz", gzip.compress(font.read_bytes()))
        data, table = self.embed()
        self.assertNotIn(".gz", data)
        self.assertIn('std::string_view(nw_panel_0_plain, 256), "", "", 256}', table)

    def test_a_packed_file_of_an_older_build_is_refused(self):
        self.write("index.html.gz", gzip.compress(b"<html>"))
        with self.assertRaises(SystemExit) as refused, contextlib.redirect_stderr(io.StringIO()):
            self.embed()
        self.assertIn("index.html.gz is not index.html", str(refused.exception))

    def test_notes_of_the_build_stay_outside(self):
        self.write(".vite/manifest.json", b"{}")
        data, table = self.embed()
        self.assertNotIn("manifest.json", data + table)
        self.assertIn('"/index.html"', table)

    def test_without_a_panel_a_page_says_so(self):
        (self.dist / "index.html").unlink()
        data, table = self.embed()
        self.assertIn("no_panel/index.html", data)
        self.assertIn('"/index.html"', table)


if __name__ == "__main__":
    unittest.main()
