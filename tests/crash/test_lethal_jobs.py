"""A job that kills its worker is buried at its third loss; the jobs beside it all complete."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from taskito import MaxRetriesExceededError, TaskFailedError
from tests.support.processes import STARTING, Program, Site
from tests.support.until import until

HOW = [("exit", 1), ("kill", -9), ("segfault", -11)]


def done_or_died(done: Callable[[], bool], worker: Program) -> bool:
    return done() or not worker.is_running()


def restart_until(site: Site, done: Callable[[], bool], *, workers: int) -> list[int]:
    """Start a worker whenever the last one died, as a service manager does.

    Returns the exit statuses of those that died before ``done`` came true.
    """
    died: list[int] = []
    while len(died) < 10:
        worker = site.worker(workers=workers)
        until(partial(done_or_died, done, worker), within=STARTING)
        if worker.is_running():
            return died
        died.append(worker.wait(0))
    raise AssertionError(f"workers die for ever: {died}")


@pytest.mark.parametrize(("how", "status"), HOW)
def test_a_job_that_kills_its_worker_is_buried_at_its_third_loss_and_its_neighbours_complete(
    site: Site, how: str, status: int
) -> None:
    before = [f"before {number}" for number in range(6)]
    after = [f"after {number}" for number in range(6)]
    innocent = [site.queue.enqueue("work", [token, 0.02]) for token in before]
    lethal = site.queue.enqueue("die", ["lethal", how])
    innocent += [site.queue.enqueue("work", [token, 0.02]) for token in after]

    def settled() -> bool:
        return site.queue.stats()["completed"] == 12 and lethal.status == "dead"

    assert restart_until(site, settled, workers=4) == [status] * 3
    assert len(site.marks.all("start", "lethal")) == 3

    (letter,) = site.queue.dead_letters()
    assert letter["original_job_id"] == lethal.id
    assert "WorkerLostError" in letter["error"]
    assert lethal.retry_count == 0
    errors = site.queue.job_errors(lethal.id)
    assert len(errors) == 3
    assert all("WorkerLostError" in error["error"] for error in errors)
    with pytest.raises(TaskFailedError, match="WorkerLostError") as caught:
        lethal.result(timeout=0)
    assert not isinstance(caught.value, MaxRetriesExceededError)

    assert [job.status for job in innocent] == ["complete"] * 12
    runs = Counter(site.marks.tokens("start"))
    for token, job in zip(before + after, innocent, strict=True):
        assert job.retry_count == 0
        # One suspect at a time: who was hit once does not run beside the killer again.
        assert len(job.errors) <= 1, token
        assert runs[token] <= 1 + len(job.errors), token


def test_a_lethal_job_without_retries_is_buried_at_its_first_loss(site: Site) -> None:
    lethal = site.queue.enqueue("die", ["lethal", "kill"], max_retries=0)
    innocent = site.queue.enqueue("note", ["innocent"])

    def settled() -> bool:
        return innocent.status == "complete" and lethal.status == "dead"

    assert restart_until(site, settled, workers=1) == [-9]
    assert len(site.marks.all("start", "lethal")) == 1
    (letter,) = site.queue.dead_letters()
    assert "WorkerLostError" in letter["error"]
    assert len(lethal.errors) == 1
    with pytest.raises(TaskFailedError, match="WorkerLostError") as caught:
        lethal.result(timeout=0)
    assert not isinstance(caught.value, MaxRetriesExceededError)
    assert site.marks.tokens("start").count("innocent") == 1


def test_several_lethal_jobs_are_all_buried_and_the_innocent_complete(site: Site) -> None:
    lethal = [site.queue.enqueue("die", [f"lethal {n}", "exit"], max_retries=0) for n in range(3)]
    innocent = site.queue.enqueue_many("work", [(f"innocent {n}", 0.02) for n in range(12)])

    def settled() -> bool:
        counts = site.queue.stats()
        return (counts["completed"], counts["dead"]) == (12, 3)

    died = restart_until(site, settled, workers=2)
    assert set(died) == {1}
    assert len(died) <= 3
    assert {letter["original_job_id"] for letter in site.queue.dead_letters()} == {
        job.id for job in lethal
    }
    assert [job.status for job in innocent] == ["complete"] * 12
