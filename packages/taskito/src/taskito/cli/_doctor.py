"""``taskito doctor``: whether everything is in place, one line each."""

import argparse
from typing import TYPE_CHECKING, Any

from taskito._version import __version__
from taskito.cli._context import Context
from taskito.cli._examine import Contents, contents, place
from taskito.cli._flags import Command
from taskito.cli._text import milliseconds, one_line, span
from taskito.exceptions import TaskitoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskito.cli._examine import Finding
    from taskito.queue import Queue

_LATE_SECONDS = 300


def register(_parser: argparse.ArgumentParser) -> Command:
    """Look for what is wrong."""
    return doctor


def doctor(_args: argparse.Namespace, context: Context) -> int:
    """Print what was looked at; 1 if anything fails."""
    console = context.console
    with context.queue() as queue:
        findings = list(_findings(queue))
    if console.as_json:
        keys = ("status", "check", "message", "remedy")
        console.document([dict(zip(keys, finding, strict=True)) for finding in findings])
    else:
        for status, check, message, remedy in findings:
            if status != "ok" or console.talks:
                end = f"  → {remedy}" if remedy else ""
                console.data(f"{status:<4}  {check:<11} {one_line(message)}{end}")
    return 1 if any(finding[0] == "fail" for finding in findings) else 0


def _findings(queue: "Queue") -> "Iterator[Finding]":
    for finding in place(queue.db_path):
        yield finding
        if finding[:2] == ("fail", "file"):
            return
    try:
        yield from _served(queue)
    except TaskitoError as error:
        message = str(error.args[0]) if error.args else type(error).__name__
        yield "fail", "database", message, error.hint


def _served(queue: "Queue") -> "Iterator[Finding]":
    """Yield what is said by the database itself."""
    workers = queue.workers()
    found = contents(queue.db_path)
    if isinstance(found, str):
        yield "fail", "integrity", found, "restore a snapshot, or look with sqlite3"
        return
    from taskito._core import SCHEMA_VERSION  # noqa: PLC0415 - loads the engine

    yield "ok", "version", f"schema {found.schema} of {SCHEMA_VERSION}, taskito {__version__}", None
    if found.damage:
        yield "fail", "integrity", found.damage[0], "stop the workers and restore a snapshot"
    else:
        yield "ok", "integrity", "no damage found", None
    living = [worker for worker in workers if worker["status"] != "stale"]
    for worker in workers:
        name = f"{worker['hostname']}:{worker['pid']}"
        if worker["status"] == "stale":
            yield (
                "warn",
                "workers",
                f"{name} does not answer",
                "end it; a living one takes its jobs",
            )
        elif worker["version"] != __version__:
            message = f"{name} runs {worker['version']}, this is {__version__}"
            yield "warn", "workers", message, "restart it"
    if living:
        yield "ok", "workers", f"{len(living)} at work", None
    elif found.waiting:
        yield "warn", "workers", "none is at work and jobs wait", "taskito worker --app …"
    else:
        yield "ok", "workers", "none is at work, nothing waits", None
    crews = [_Crew(worker) for worker in living]
    yield from _waiting(found, crews, set(queue.paused_queues()))


class _Crew:
    """What one worker serves."""

    def __init__(self, worker: dict[str, Any]) -> None:
        self._queues: list[str] = worker["queues"]
        self._tasks: list[str] = worker["tasks"]

    def serves(self, queue: str) -> bool:
        return not self._queues or queue in self._queues

    def knows(self, task: str) -> bool:
        return task in self._tasks


def _waiting(found: Contents, crews: list[_Crew], paused: set[str]) -> "Iterator[Finding]":
    """Yield what is said by the jobs that are due."""
    now = milliseconds()
    running = [entry for entry in found.waiting if entry.queue not in paused]
    oldest = min((entry.due for entry in running), default=now)
    late = (now - oldest) / 1000
    if late > _LATE_SECONDS:
        message = f"the oldest job has been due for {span(late // 60 * 60)}"
        yield "warn", "backlog", message, "more workers, or see: taskito jobs list --status pending"
    else:
        yield "ok", "backlog", "no job has been due for long", None
    for queue in sorted({entry.queue for entry in found.waiting} & paused):
        count = sum(entry.jobs for entry in found.waiting if entry.queue == queue)
        message = f"{count:,} jobs wait in {queue!r}, which is paused"
        yield "warn", "paused", message, f"taskito queues resume {queue}"
    if not crews:
        return
    for queue in sorted({entry.queue for entry in found.waiting}):
        if not any(crew.serves(queue) for crew in crews):
            remedy = f"taskito worker --queues {queue}"
            yield "warn", "queues", f"no worker serves {queue!r}, where jobs wait", remedy
    for task in sorted({entry.task for entry in found.waiting}):
        if not any(crew.knows(task) for crew in crews):
            remedy = "import the module that defines it in the worker's program"
            yield "warn", "tasks", f"no worker knows {task!r}, whose jobs wait", remedy
