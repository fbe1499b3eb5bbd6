"""``taskito info`` and ``taskito version``: what there is."""

import argparse
import platform
import sys
import time
from collections.abc import Callable

from taskito._version import __version__
from taskito.cli._console import Console, Failure
from taskito.cli._context import find_queue
from taskito.queue import Queue

_RULE = "-" * 30
_REDRAW_SECONDS = 2.0
_CLEAR = "\x1b[2J\x1b[H"


def table(stats: dict[str, int]) -> str:
    """Return the counts as text."""
    rows = [_row(name, count) for name, count in stats.items()]
    total = _row("total", sum(stats.values()))
    return "\n".join(["taskito queue statistics", _RULE, *rows, _RULE, total])


def info(args: argparse.Namespace, console: Console) -> int:
    """Print the counts, once or until Ctrl+C."""
    if args.watch and console.as_json:
        raise Failure("--watch and --json exclude each other", hint="drop one", code=2)
    with find_queue(args) as queue:
        if args.watch:
            watch(queue, console)
        elif console.as_json:
            console.document(queue.stats())
        else:
            console.data(table(queue.stats()))
    return 0


def watch(queue: Queue, console: Console, sleep: Callable[[float], None] = time.sleep) -> None:
    """Redraw the counts every 2 seconds, with the jobs completed per second in between."""
    clear = _CLEAR if sys.stdout.isatty() else ""
    stats, then = queue.stats(), time.monotonic()
    rate = 0.0
    try:
        while True:
            console.data(clear + _frame(stats, rate))
            sleep(_REDRAW_SECONDS)
            before, since = stats["completed"], then
            stats, then = queue.stats(), time.monotonic()
            rate = (stats["completed"] - before) / max(then - since, 0.001)
    except KeyboardInterrupt:
        return


def version(console: Console) -> int:
    """Print the versions that matter in a report."""
    from taskito._core import SQLITE_VERSION  # noqa: PLC0415 - other commands may not need it

    versions = {
        "taskito": __version__,
        "core": __version__,
        "sqlite": SQLITE_VERSION,
        "python": platform.python_version(),
    }
    if console.as_json:
        console.document(versions)
    else:
        names = {"sqlite": "SQLite", "python": "Python"}
        lines = [f"{names.get(name, name):<8} {value}" for name, value in versions.items()]
        console.data("\n".join(lines))
    return 0


def _row(name: str, value: object) -> str:
    return f"  {name:<12} {value}"


def _frame(stats: dict[str, int], rate: float) -> str:
    lines = [table(stats)]
    if rate > 0:
        lines += ["", _row("throughput", f"{rate:.1f} jobs/s")]
    lines += ["", f"Refreshing every {_REDRAW_SECONDS:.0f}s... (Ctrl+C to stop)"]
    return "\n".join(lines)
