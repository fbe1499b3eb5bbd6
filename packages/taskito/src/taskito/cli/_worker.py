"""``taskito worker``: run jobs until a signal."""

import argparse
import logging
import os
import platform
import sys
import time
from pathlib import Path

from taskito._version import __version__
from taskito.cli._console import Console, Failure
from taskito.cli._context import Context, own_queues
from taskito.cli._flags import Command, duration
from taskito.exceptions import StorageError
from taskito.queue import Queue


def register(parser: argparse.ArgumentParser) -> Command:
    """Run jobs until a signal."""
    parser.add_argument("--queues", metavar="A,B", help="only these queues (default: all)")
    parser.add_argument("--workers", metavar="N", type=int, help="threads; 0 is one per CPU")
    parser.add_argument(
        "--drain-timeout",
        metavar="S",
        type=duration,
        help="time for running jobs to finish: 90, 30s, 15m",
    )
    return worker


def worker(args: argparse.Namespace, context: Context) -> int:
    """Run a worker; 0 after a drain, 128 plus the number of a second signal.

    75 when a task has closed the files of the database, or other workers took this one for dead: a
    supervisor should start it anew.
    """
    began = time.monotonic()
    console = context.console
    queue = context.queue(app_needed=True)
    _log_to_stderr(logging.WARNING if console.quiet else logging.INFO)
    names = [name.strip() for name in (args.queues or "").split(",") if name.strip()]
    crew = queue._worker(names, args.workers, args.drain_timeout)  # noqa: SLF001 - our own

    def ready() -> None:
        if console.quiet:
            return
        if console.as_json:
            console.document(_facts(queue, names, crew.threads))
        else:
            console.data(_banner(queue, names, crew.threads, time.monotonic() - began, console))

    try:
        signal_number = queue._run(crew, ready)  # noqa: SLF001 - our own
    except StorageError as error:
        if not crew.stranded:
            raise
        console.failure(Failure(str(error.args[0]), hint=error.hint))
        # Whatever would clean up now has no descriptors, or those of others.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(os.EX_TEMPFAIL)
    if crew.disowned:
        return os.EX_TEMPFAIL
    return 128 + signal_number if signal_number else 0


def _facts(queue: Queue, names: list[str], threads: int) -> dict[str, object]:
    return {
        "taskito": __version__,
        "hostname": platform.node(),
        "pid": os.getpid(),
        "workers": threads,
        "db_path": _shown_path(queue),
        "queues": names or sorted(own_queues(queue)),
        "tasks": sorted(queue._task_registry),  # noqa: SLF001 - documented for programs
        "schedules": _schedules(queue),
    }


def _banner(queue: Queue, names: list[str], threads: int, seconds: float, console: Console) -> str:
    tasks = sorted(queue._task_registry)  # noqa: SLF001 - documented for programs
    schedules = _schedules(queue)
    served = " ".join(names or sorted(own_queues(queue)))
    scope = "" if names else "   (and any other that holds jobs of these tasks)"
    place = f"{platform.node()}:{os.getpid()}"
    count = f"{threads} thread{'s' if threads > 1 else ''}"
    return "\n".join(
        [
            console.headline(f"taskito {__version__} · {place} · {count} · {_shown_path(queue)}"),
            f"queues    {served}{scope}",
            f"tasks     {len(tasks)}: {' '.join(tasks)}" if tasks else "tasks     none yet",
            *([f"schedules {len(schedules)}: {' '.join(schedules)}"] if schedules else []),
            f"ready in {seconds:.2f} s — Ctrl-C drains, twice stops",
        ]
    )


def _schedules(queue: Queue) -> list[str]:
    return [schedule["name"] for schedule in queue._periodic_configs]  # noqa: SLF001 - likewise


def _shown_path(queue: Queue) -> str:
    return queue.db_path if queue.db_path == ":memory:" else str(Path(queue.db_path).absolute())


def _log_to_stderr(level: int) -> None:
    """Show our log lines, unless the application has set up logging itself."""
    logger = logging.getLogger("taskito")
    handlers = logging.getLogger().handlers + logger.handlers
    if not all(isinstance(handler, logging.NullHandler) for handler in handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.setLevel(level)
