"""Records of the logger ``taskito`` that are about a job say which."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskito import Cancel, JobContext, Queue, Snooze, TaskMiddleware, current_job
from tests.support.until import until
from tests.telemetry.conftest import Work


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path / "jobs.db", workers=1, durability="normal") as queue:
        yield queue


def test_of_every_kind_of_end(queue: Queue, work: Work, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="taskito")
    naps: list[str] = []

    @queue.task(name="ends", queue="mails", max_retries=1, retry_backoff=0, timeout=0.3)
    def ends(how: str) -> None:
        if how == "snooze" and not naps:
            naps.append(how)
            raise Snooze(0)
        if how == "cancel":
            raise Cancel("enough")
        if how == "fail":
            raise ValueError("no address")
        if how == "hang":
            until(current_job.is_cancelled)

    work(queue)
    jobs = {how: ends.delay(how) for how in ("snooze", "cancel", "fail", "hang")}
    for job in jobs.values():
        assert job.wait(30)

    told = {
        (record.job_id, record.levelname)  # type: ignore[attr-defined]  # the extras
        for record in caplog.records
        if getattr(record, "job_id", None) is not None
    }
    assert told == {
        (jobs["snooze"].id, "DEBUG"),
        (jobs["cancel"].id, "INFO"),
        (jobs["fail"].id, "INFO"),
        (jobs["fail"].id, "ERROR"),
        (jobs["hang"].id, "INFO"),
        (jobs["hang"].id, "ERROR"),
    }
    for record in caplog.records:
        if getattr(record, "job_id", None) is not None:
            assert (record.task_name, record.queue) == ("ends", "mails")  # type: ignore[attr-defined]


def test_of_hooks_that_raise(queue: Queue, work: Work, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(TaskMiddleware):
        def before(self, ctx: JobContext) -> None:
            del ctx
            raise RuntimeError("broken")

        def on_enqueue(self, *_facts: object, **_options: object) -> None:
            raise RuntimeError("broken")

    @queue.task(name="fine", queue="mails", middleware=[Broken()])
    def fine() -> None: ...

    work(queue)
    job = fine.delay()
    job.result()
    enqueue, before = [r for r in caplog.records if r.levelname == "ERROR"]
    assert (enqueue.task_name, enqueue.queue) == ("fine", "mails")  # type: ignore[attr-defined]
    facts = (before.job_id, before.task_name, before.queue)  # type: ignore[attr-defined]
    assert facts == (job.id, "fine", "mails")


def test_the_library_prints_nothing_by_itself() -> None:
    handlers = logging.getLogger("taskito").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)
