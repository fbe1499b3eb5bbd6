"""``taskito info`` and ``taskito version``: what there is."""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from taskito._version import __version__
from taskito.cli._console import Console, Failure
from taskito.cli._context import Context
from taskito.cli._flags import Command
from taskito.queue import Queue

_RULE = "-" * 30
_REDRAW_SECONDS = 2.0
_CLEAR = "\x1b[2J\x1b[H"


def table(stats: dict[str, int]) -> str:
    """Return the counts as text."""
    rows = [_row(name, count) for name, count in stats.items()]
    total = _row("total", sum(stats.values()))
    return "\n".join(["taskito queue statistics", _RULE, *rows, _RULE, total])


def register(parser: argparse.ArgumentParser) -> Command:
    """How many jobs there are."""
    parser.add_argument("--watch", action="store_true", help="redraw every 2 s until Ctrl+C")
    return info


def register_version(_parser: argparse.ArgumentParser) -> Command:
    """What is installed."""
    return version


def info(args: argparse.Namespace, context: Context) -> int:
    """Print the counts, once or until Ctrl+C."""
    console = context.console
    if args.watch and console.as_json:
        raise Failure("--watch and --json exclude each other", hint="drop one", code=2)
    with context.queue() as queue:
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


def version(_args: argparse.Namespace, context: Context) -> int:
    """Print the versions that matter in a report."""
    from importlib.metadata import PackageNotFoundError  # noqa: PLC0415
    from importlib.metadata import version as installed  # noqa: PLC0415

    from taskito._core import SQLITE_VERSION  # noqa: PLC0415 - other commands may not need it

    console = context.console
    versions = {
        "taskito": __version__,
        "core": __version__,
        "sqlite": SQLITE_VERSION,
        "python": platform.python_version(),
    }
    for companion in ("taskito-dashboard", "taskito-flask"):
        with suppress(PackageNotFoundError):
            versions[companion] = installed(companion)
    if console.as_json:
        console.document(versions)
    else:
        names = {"sqlite": "SQLite", "python": "Python"}
        lines = [f"{names.get(name, name):<17} {value}" for name, value in versions.items()]
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
