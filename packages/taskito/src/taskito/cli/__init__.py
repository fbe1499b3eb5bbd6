"""The ``taskito`` command.

Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 error, 2 usage, 3 not found,
128 plus the signal number for a worker that a second signal stopped.
"""

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskito.queue import Queue

__all__ = ["_load_queue", "_print_stats", "main"]

_EXIT_WITHIN = 1.5


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; ``None`` means those of the process.

    Raises:
        SystemExit: With the exit code, unless that is 0.
    """
    from taskito.cli._run import run  # noqa: PLC0415 - importing this package stays cheap

    code = run(argv)
    if argv is None:
        _insist_on_exit(code)
    if code:
        raise SystemExit(code)


def _insist_on_exit(code: int) -> None:
    """See to it that threads a task left behind cannot keep the process alive."""
    if threading.active_count() > 1:
        timer = threading.Timer(_EXIT_WITHIN, os._exit, [code])
        timer.daemon = True
        timer.start()


def _load_queue(path: str) -> "Queue":
    """Return the queue that ``module:attribute`` names.

    Raises:
        SystemExit: With code 1, after printing what is wrong to stderr.
    """
    from taskito.cli._console import Console, Failure  # noqa: PLC0415
    from taskito.cli._context import load_queue  # noqa: PLC0415

    try:
        return load_queue(path)
    except Failure as failure:
        Console().failure(failure)
        raise SystemExit(failure.code) from None


def _print_stats(queue: "Queue") -> None:
    """Print the counts of a queue as a table."""
    from taskito.cli._info import table  # noqa: PLC0415

    print(table(queue.stats()))
