"""Jobs that never start trigger no hooks but that of their enqueuing."""

import threading

from taskito import Queue, TaskMiddleware
from tests.support.until import until
from tests.unit.conftest import StartWorker

EVENTS = [
    "before_task",
    "on_success",
    "on_failure",
    "after_task",
    "on_timeout",
    "on_retry",
    "on_dead_letter",
    "on_cancel",
]


def test_a_job_that_is_cancelled_while_it_waits_triggers_no_hook(
    queue: Queue, start_worker: StartWorker
) -> None:
    heard: list[str] = []

    class Listening(TaskMiddleware):
        def on_cancel(self, ctx: object) -> None:
            heard.append(f"middleware: {ctx}")

    for event in EVENTS:
        getattr(queue, event)(lambda *_facts, event=event: heard.append(event))
    gate = threading.Event()
    task = queue.task(name="t", middleware=[Listening()])(lambda: gate.wait(30))
    root = task.options(delay=60).delay()
    child = task.options(depends_on=root).delay()
    late = task.apply_async(expires=0)
    assert root.cancel()
    start_worker()
    until(lambda: late.status == "cancelled")
    assert child.status == "cancelled"
    assert heard == []
    gate.set()
    assert task.delay().result() is True
    assert heard == ["before_task", "on_success", "after_task"]
