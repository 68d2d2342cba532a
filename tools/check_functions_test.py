import unittest

from check_functions import cxx_functions, python_functions


def body(lines: int, indent: str = "") -> str:
    return f"{indent}int f()\n{indent}{{\n" + f"{indent}    x();\n" * lines + f"{indent}}}\n"


class Lengths(unittest.TestCase):
    def test_a_body_is_measured_between_its_braces(self):
        self.assertEqual([length for _, length in cxx_functions(body(71))], [71])

    def test_members_are_found_inside_their_class(self):
        text = "class A {\n" + body(3, "    ") + body(80, "    ") + "};\n"
        self.assertEqual([length for _, length in cxx_functions(text)], [3, 80])

    def test_what_is_nested_belongs_to_the_outer_function(self):
        text = "int f()\n{\n    {\n        x();\n    }\n}\n"
        self.assertEqual([length for _, length in cxx_functions(text)], [3])

    def test_python_counts_the_whole_definition(self):
        self.assertEqual([length for _, length in python_functions("def f():\n    a = 1\n    return a\n")], [3])


if __name__ == "__main__":
    unittest.main()
