import unittest

from devtool import scaffold


class Templates(unittest.TestCase):
    def test_every_mark_is_filled(self):
        for template in scaffold.TEMPLATES.iterdir():
            text = scaffold.filled(template.name, "tcp_connect", 7)
            self.assertNotIn("@", text, template.name)
        self.assertIn(".number = 7,", scaffold.filled("kind.cpp", "tcp_connect", 7))
        self.assertIn("class TcpConnectEngine", scaffold.filled("engine.hpp", "tcp_connect", 7))

    def test_a_new_kind_gets_a_number_nobody_has(self):
        self.assertGreaterEqual(scaffold.next_number(), 2)

    def test_names_that_are_no_kind_are_refused(self):
        for name in ("Ping", "a", "../x", "ping", "delete"):
            with self.assertRaises(scaffold.Failure):
                scaffold.probe(name)


if __name__ == "__main__":
    unittest.main()
