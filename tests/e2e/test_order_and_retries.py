"""What runs when: priorities, delays, retries and dead letters, against a real worker."""

import threading
import time

import pytest

from taskito import JobNotFoundError, MaxRetriesExceededError
from tests.support.processes import STARTING, Site
from tests.support.until import until


def test_a_pending_job_runs_when_run_worker_is_started_in_a_thread(site: Site) -> None:
    ran = threading.Event()
    site.queue.task(name="set")(ran.set)
    job = site.queue.enqueue("set")
    worker = threading.Thread(target=site.queue.run_worker, kwargs={"workers": 1})
    worker.start()
    assert ran.wait(30)
    assert job.result(timeout=30) is None
    site.queue.shutdown()
    worker.join(30)
    assert not worker.is_alive()


def test_three_waiting_jobs_run_in_the_order_of_their_priorities(site: Site) -> None:
    for priority in (1, 5, 10):
        site.queue.enqueue("note", [str(priority)], priority=priority)
    site.worker(workers=1)
    site.wait_until_settled(within=STARTING)
    assert site.marks.tokens("start") == ["10", "5", "1"]


def test_jobs_of_one_priority_run_in_the_order_they_were_enqueued(site: Site) -> None:
    tokens = [str(number) for number in range(30)]
    for token in tokens:
        site.queue.enqueue("note", [token])
    site.worker(workers=1)
    site.wait_until_settled(within=STARTING)
    assert site.marks.tokens("start") == tokens


def test_a_job_that_fails_three_times_succeeds_at_its_fourth_attempt(site: Site) -> None:
    site.ready_worker()
    job = site.queue.enqueue("fail_until", ["stubborn", 4], max_retries=3)
    assert job.result(timeout=30) == "stubborn"
    assert len(site.marks.all("start", "stubborn")) == 4
    errors = site.queue.job_errors(job.id)
    assert [error["attempt"] for error in errors] == [0, 1, 2]
    for run, error in enumerate(errors, start=1):
        assert f"ValueError: run {run} of stubborn fails" in error["error"]
        assert error["job_id"] == job.id
    assert site.queue.dead_letters() == []


def test_a_job_without_retries_is_a_dead_letter_after_its_only_attempt(
    site: Site,
) -> None:
    job = site.queue.enqueue("fail_until", ["hopeless", 2], max_retries=0)
    site.worker()
    until(site.queue.dead_letters)
    (letter,) = site.queue.dead_letters()
    assert (letter["original_job_id"], letter["task_name"]) == (job.id, "fail_until")
    assert letter["retry_count"] == 0
    assert "ValueError: run 1 of hopeless fails" in letter["error"]
    assert len(site.queue.job_errors(job.id)) == 1
    assert len(site.marks.all("start")) == 1
    with pytest.raises(MaxRetriesExceededError, match=f"^Job {job.id} dead: "):
        job.result(timeout=0)


def test_retries_are_spent_before_a_job_is_buried(site: Site) -> None:
    site.worker()
    job = site.queue.enqueue("fail_until", ["hopeless", 99], max_retries=2)
    assert job.wait(timeout=STARTING)
    assert job.status == "dead"
    assert len(site.marks.all("start")) == 3
    assert [error["attempt"] for error in job.errors] == [0, 1, 2]
    assert [letter["retry_count"] for letter in site.queue.dead_letters()] == [2]


def test_a_delayed_job_starts_when_it_is_due_and_not_before(site: Site) -> None:
    site.ready_worker()
    before = time.time()
    job = site.queue.enqueue("note", ["delayed"], delay=0.8)
    assert job.status == "pending"
    assert site.queue.enqueue("note", ["at once"]).result(timeout=30) == "at once"
    assert job.result(timeout=30) == "delayed"
    assert before + 0.8 - 0.001 <= site.marks.all("start", "delayed")[0].clock


def test_a_retried_dead_letter_runs_as_a_new_job_and_completes(site: Site) -> None:
    site.ready_worker()
    gate = site.gate()
    job = site.queue.enqueue(
        "fail_behind", ["retried", str(gate)], max_retries=0, priority=7, metadata="kept"
    )
    assert job.wait(timeout=30)
    (letter,) = site.queue.dead_letters()
    assert letter["metadata"] == "kept"
    gate.unlink()
    revived = site.queue.get_job(site.queue.retry_dead(letter["id"]))
    assert revived is not None
    assert revived.id != job.id
    assert revived.result(timeout=30) == "retried"
    assert (revived.priority, revived.max_retries, revived.metadata) == (7, 0, "kept")
    assert job.status == "dead"
    assert site.queue.dead_letters() == []
    with pytest.raises(JobNotFoundError, match=letter["id"]):
        site.queue.retry_dead(letter["id"])
