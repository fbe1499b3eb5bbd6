"""The command line of the demo."""

import argparse
import os

from examples.common import program
from examples.common.program import Answer
from examples.common.screen import Screen
from examples.wordcount.files import printable
from examples.wordcount.model import Options
from examples.wordcount.report import answer_of
from examples.wordcount.run import opened


def main() -> int:
    """Run the demo; return its exit status."""
    as_json, options = _parse()

    def work(screen: Screen) -> Answer:
        with opened(options, screen) as demo:
            return answer_of(demo.run())

    return program.run(work, as_json=as_json)


def _parse() -> tuple[bool, Options]:
    parser = argparse.ArgumentParser(
        prog="demo.py",
        description="Count the words of every file, one durable job per file; kill the worker "
        "on the way, finish with another, and check every number against a plain loop.",
    )
    add = parser.add_argument
    add("folders", nargs="*", metavar="FOLDER", help="default: the standard library and the docs")
    add(
        "--workers", type=program.positive, default=4, metavar="N", help="threads of the worker (4)"
    )
    add("--limit", type=program.positive, metavar="N", help="count the first N files only")
    add("--db", metavar="PATH", help="the queue's file (default: one that is removed at the end)")
    add("--pause", type=float, default=0.0, metavar="MS", help="let each job wait this long first")
    add("--no-kill", action="store_true", help="let the worker live")
    add("--keep", action="store_true", help="leave the temporary folder in place")
    add("--json", action="store_true", help="print one JSON document instead of the table")
    args = parser.parse_args()
    for folder in args.folders:
        if not os.path.lexists(folder):
            parser.error(f"there is no folder {printable(folder)!r}")
    options = Options(
        folders=tuple(args.folders),
        workers=args.workers,
        limit=args.limit,
        db=args.db,
        kill=not args.no_kill,
        keep=args.keep,
        pause_s=max(0.0, args.pause) / 1000,
    )
    return args.json, options
