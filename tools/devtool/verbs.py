"""The verbs of ./dev and their arguments."""

import argparse
import sys

from . import bench, build, check, fuzz, scaffold, setup, suites, up
from .shell import Failure, say


def verb_setup(_) -> int:
    setup.ensure("build", "test")
    say("everything is installed")
    return 0


def verb_build(args) -> int:
    setup.ensure("build")
    build.build(args.preset, args.target)
    return 0


def verb_test(args) -> int:
    return suites.test(suites.Options(full=args.full, long=args.long, filter=args.filter))


def verb_fuzz(args) -> int:
    setup.ensure("build", "test")
    found = fuzz.suite(args.seconds)
    say(found.line())
    return 0 if found.good else 1


def parser() -> argparse.ArgumentParser:
    shape = lambda prog: argparse.HelpFormatter(prog, width=110)  # noqa: E731
    top = argparse.ArgumentParser(prog="./dev", description="Build, test and try NetWatcher.", formatter_class=shape)
    verbs = top.add_subparsers(metavar="VERB", title="verbs")

    def verb(name: str, text: str, action) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.set_defaults(action=action)
        return made

    started = verb("up", "build, start a controller and agents, print the set-up URL (root: with a demo network)",
                   lambda args: up.up(args.listen))
    started.add_argument("--listen", default=up.DEFAULT_LISTEN, help="controller address (default %(default)s)")
    verb("down", "stop everything ./dev up started; the data stays", lambda _: up.down())
    tested = verb("test", "install, build and run every test; ends with one summary line", verb_test)
    tested.add_argument("filter", nargs="?", default="", help="a module, or tools, panel, lab, e2e, sanitizers, fuzz")
    tested.add_argument("--full", action="store_true", help="every test under ASan/UBSan and TSan, longer fuzzing")
    tested.add_argument("--long", action="store_true", help="long durability and load tests too")
    made = verb("build", "build the panel and a preset (default fast)", verb_build)
    made.add_argument("preset", nargs="?", default="fast", choices=build.PRESETS)
    made.add_argument("target", nargs="*", help="CMake targets")
    verb("run", "up, with logs and a reloading panel in the foreground; Ctrl-C stops all", lambda _: up.foreground())
    verb("panel", "the panel's development server against a running controller", lambda _: up.panel())
    formatted = verb("fmt", "format what this change touches, C++ and TypeScript", lambda args: check.fmt(args.all))
    formatted.add_argument("--all", action="store_true", help="the whole tree")
    verb("check", "format, layers, headers, clang-tidy, types, lint, fast tests", lambda _: check.check())
    measured = verb("bench", "run one benchmark, or all",
                    lambda args: bench.bench(args.preset, args.name, args.argument))
    measured.add_argument("name", nargs="?", default="")
    measured.add_argument("--preset", default="fast", choices=build.PRESETS)
    measured.add_argument("argument", nargs="*", help="passed on (after --)")
    fuzzed = verb("fuzz", "run every fuzz target (default 60 s each)", verb_fuzz)
    fuzzed.add_argument("seconds", nargs="?", type=int, default=60)
    verb("setup", "install what is missing: Debian packages, Node, npm packages", verb_setup)
    fresh = verb("new", "scaffold: new probe NAME", lambda args: scaffold.probe(args.name))
    fresh.add_argument("what", choices=["probe"])
    fresh.add_argument("name")
    return top


def main(arguments: list[str]) -> int:
    top = parser()
    args = top.parse_args(arguments)
    if not hasattr(args, "action"):
        top.print_help()
        return 0
    try:
        return args.action(args)
    except Failure as failure:
        sys.stdout.flush()
        print(f"./dev: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
