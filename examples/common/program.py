"""How an example runs as a command: signals, exit statuses, a table or one JSON document."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

from examples.common.screen import LABEL_WIDTH, Paint, Screen

DONE, FAILED, INTERRUPTED = 0, 1, 130


class ExampleError(Exception):
    """The example cannot go on. The message says why; ``hint`` says what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message}\nhint: {hint}")
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an example found out.

    Attributes:
        document: for ``--json``.
        table: for a person: labels, each with its lines, in the colours it is given.
        problem: what is not as it should be, or ``None`` if all is well.
    """

    document: dict[str, object]
    table: Callable[[Paint], Iterable[tuple[str, Sequence[str]]]]
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where one run keeps its files.

    Attributes:
        folder: for whatever the run writes.
        database: the queue's file.
    """

    folder: Path
    database: str


def run(work: Callable[[Screen], Answer], *, as_json: bool) -> int:
    """Do the work, print its answer, and return the exit status of the process.

    ``work`` finds Ctrl-C and SIGTERM as a ``KeyboardInterrupt``.
    """
    for stream in (sys.stdout, sys.stderr):
        _survive_encoding(stream)
    signal.signal(signal.SIGTERM, _interrupt)
    screen = Screen(sys.stderr)
    try:
        answer = work(screen)
    except KeyboardInterrupt:
        screen.say("stopped", "the workers have ended; what was done stays done")
        return INTERRUPTED
    except ModuleNotFoundError as error:
        return _fail(screen, f"{error}\nhint: pip install taskito")
    except Exception as error:
        if not hasattr(error, "hint"):  # ours and taskito's are written for people
            raise
        return _fail(screen, str(error))
    print(json.dumps(answer.document, indent=2) if as_json else as_text(answer, Paint(sys.stdout)))
    return _fail(screen, answer.problem) if answer.problem else DONE


def as_text(answer: Answer, paint: Paint) -> str:
    """Return the lines a person reads."""
    lines: list[str] = [""]
    for label, rows in answer.table(paint):
        for number, row in enumerate(rows):
            shown = f"{label:<{LABEL_WIDTH}}" if number == 0 else " " * LABEL_WIDTH
            lines.append((paint.bold(shown) + row).rstrip())
    return "\n".join(lines)


@contextmanager
def temporary_home(name: str, *, database: str | None = None, keep: bool) -> Generator[Home]:
    """Make a folder for one run, and name the queue's file to this process and its children.

    Args:
        name: of the example.
        database: the queue's file; ``None`` means one in the folder.
        keep: leave the folder in place at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"taskito-{name}-"))
    path = str(Path(database or folder / f"{name}.db").absolute())
    os.environ["TASKITO_DB_PATH"] = path
    try:
        yield Home(folder=folder, database=path)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def positive(text: str) -> int:
    """Read a number for ``argparse``, 1 or more."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


def _fail(screen: Screen, text: str) -> int:
    print(f"{screen.paint.red('error:')} {text}", file=sys.stderr)
    return FAILED


def _survive_encoding(stream: TextIO) -> None:
    """Print a question mark, and do not fail, where the stream cannot show a character."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
