"""The command line of the demo."""

import argparse
import json
import os
import signal
import sys
from typing import NoReturn, TextIO

from examples.wordcount.files import printable
from examples.wordcount.model import Options, Report
from examples.wordcount.report import as_document, as_table
from examples.wordcount.run import opened
from examples.wordcount.screen import Paint, Screen

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main() -> int:
    """Run the demo; return its exit status."""
    as_json, options = _parse()
    for stream in (sys.stdout, sys.stderr):
        _survive_encoding(stream)
    signal.signal(signal.SIGTERM, _interrupt)
    screen = Screen(sys.stderr)
    try:
        with opened(options, screen) as demo:
            report = demo.run()
    except KeyboardInterrupt:
        screen.say("stopped", "the worker has ended; what was done stays done")
        return INTERRUPTED
    except ModuleNotFoundError as error:
        return _fail(screen, f"{error}\nhint: pip install taskito, or run: nox -s demo")
    except Exception as error:
        if not hasattr(error, "hint"):  # ours and taskito's are written for people
            raise
        return _fail(screen, str(error))
    print(json.dumps(as_document(report), indent=2) if as_json else _table(report))
    return _status(report, screen)


def _table(report: Report) -> str:
    return as_table(report, Paint(sys.stdout))


def _status(report: Report, screen: Screen) -> int:
    if differences := report.comparison.differences:
        first = printable(differences[0])
        count = len(differences)
        text = f"the jobs and the plain loop disagree on {count:,} numbers: {first}"
        return _fail(screen, text)
    return DONE


def _fail(screen: Screen, text: str) -> int:
    print(f"{screen.paint.red('error:')} {text}", file=sys.stderr)
    return FAILED


def _parse() -> tuple[bool, Options]:
    parser = argparse.ArgumentParser(
        prog="demo.py",
        description="Count the words of every file, one durable job per file; kill the worker "
        "on the way, finish with another, and check every number against a plain loop.",
    )
    add = parser.add_argument
    add("folders", nargs="*", metavar="FOLDER", help="default: the standard library and the docs")
    add("--workers", type=_positive, default=4, metavar="N", help="threads of the worker (4)")
    add("--limit", type=_positive, metavar="N", help="count the first N files only")
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


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


def _survive_encoding(stream: TextIO) -> None:
    """Print a question mark, and do not fail, where the stream cannot show a character."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
