"""Everything that can listen to jobs, writing down what it hears."""

import threading
from collections.abc import Callable
from typing import Any

from taskito import JobContext, Queue, TaskMiddleware, current_job


class Journal(list[str]):
    """What was called, in order, and with what; checks that the context was there."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, tuple[Any, ...]] = {}
        self.threads: dict[str, str] = {}

    def note(self, name: str, *facts: object) -> None:
        assert current_job.id
        self.append(name)
        self.facts[name] = facts
        self.threads[name] = threading.current_thread().name

    def listener(self, name: str) -> Callable[..., None]:
        return lambda *facts: self.note(name, *facts)


class Recorder(TaskMiddleware):
    """Notes every call. Has no ``super().__init__()``, which nobody needs."""

    def __init__(self, name: str, journal: Journal) -> None:
        self.name = name
        self.journal = journal

    def _note(self, method: str, ctx: JobContext, *facts: object) -> None:
        assert ctx.id == current_job.id
        self.journal.note(f"{self.name}.{method}", *facts)

    def before(self, ctx: JobContext) -> None:
        self._note("before", ctx)

    def on_success(self, ctx: JobContext, result: Any) -> None:
        self._note("on_success", ctx, result)

    def on_failure(self, ctx: JobContext, error: BaseException) -> None:
        self._note("on_failure", ctx, error)

    def after(self, ctx: JobContext, result: Any, error: BaseException | None) -> None:
        self._note("after", ctx, result, error)

    def on_timeout(self, ctx: JobContext) -> None:
        self._note("on_timeout", ctx)

    def on_retry(self, ctx: JobContext, error: BaseException, retry_count: int) -> None:
        self._note("on_retry", ctx, error, retry_count)

    def on_dead_letter(self, ctx: JobContext, error: BaseException) -> None:
        self._note("on_dead_letter", ctx, error)

    def on_cancel(self, ctx: JobContext) -> None:
        self._note("on_cancel", ctx)


HOOKS = [
    "before_task",
    "on_success",
    "on_failure",
    "after_task",
    "on_timeout",
    "on_retry",
    "on_dead_letter",
    "on_cancel",
]


def listen(queue: Queue, journal: Journal) -> None:
    """Register a hook of every kind that follows a claim."""
    for event in HOOKS:
        getattr(queue, event)(journal.listener(event))
