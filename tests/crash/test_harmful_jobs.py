"""Jobs that harm their worker: it lives or is recovered, and the record says why."""

import signal

import pytest

from taskito import MaxRetriesExceededError
from tests.support.processes import STARTING, Program, Site
from tests.support.until import until

APP = "tests.crash.programs.hazards:queue"


def start(site: Site, *, workers: int = 1) -> Program:
    worker = site.taskito("worker", "--app", APP, "--workers", str(workers))
    until(lambda: site.status_of(worker) == "active", within=STARTING)
    return worker


@pytest.mark.parametrize(
    ("how", "status"), [("stack overflow", -signal.SIGSEGV), ("abort", -signal.SIGABRT)]
)
def test_a_job_that_brings_its_worker_down_is_a_loss_and_others_go_on(
    site: Site, how: str, status: int
) -> None:
    worker = start(site)
    job = site.queue.enqueue("harm", ["lethal", how], max_retries=0)
    assert worker.wait(STARTING) == status
    start(site)
    until(lambda: job.status == "dead")
    (error,) = job.errors
    assert "WorkerLostError" in error["error"]
    assert "max_retries=0" in error["error"]
    assert site.queue.enqueue("note", ["after"]).result(timeout=30) == "after"


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ("memory hog", "MemoryError"),
        ("MemoryError", "MemoryError"),
        ("unpicklable error", "UnpicklableError: on purpose"),
        ("error without a class of its own", "Unnamed"),
        ("group", "ExceptionGroup: several (2 sub-exceptions)"),
        ("cycle of causes", "ValueError: first"),
    ],
)
def test_a_job_that_fails_badly_is_recorded_and_its_worker_lives_on(
    site: Site, how: str, named: str
) -> None:
    worker = start(site)
    job = site.queue.enqueue("harm", ["bad", how], max_retries=0)
    with pytest.raises(MaxRetriesExceededError):
        job.result(timeout=30)
    (error,) = job.errors
    assert named in error["error"]
    assert site.queue.enqueue("note", ["after"]).result(timeout=30) == "after"
    assert site.marks.all("start", "after")[0].pid == worker.pid


def test_a_thread_that_a_job_left_behind_does_not_keep_its_worker_from_ending(site: Site) -> None:
    worker = start(site)
    job = site.queue.enqueue("leave_a_thread", ["left", str(site.gate())])
    assert job.result(timeout=30) == job.id
    assert site.queue.enqueue("note", ["after"]).result(timeout=30) == "after"
    worker.send(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert site.marks.tokens("thread over") == []


def test_a_worker_full_of_hung_jobs_goes_on_when_one_ends_and_stops_when_told(site: Site) -> None:
    worker = start(site, workers=2)
    gates = [site.gate(str(number)) for number in range(32)]
    hung = [
        site.queue.enqueue("outlive", [str(n), str(gate)], timeout=0.05, max_retries=0)
        for n, gate in enumerate(gates)
    ]
    for job in hung:
        assert job.wait(timeout=30)
    assert [job.status for job in hung] == ["dead"] * 32
    assert all("TaskTimeoutError" in job.errors[0]["error"] for job in hung)
    until(lambda: "nothing is claimed until one ends" in worker.err)
    (row,) = site.queue.workers()
    until(lambda: site.queue.workers()[0]["abandoned"] == 32)
    assert row["status"] == "active"
    waiting = site.queue.enqueue("note", ["waiting"])
    assert waiting.wait(timeout=0.5) is False

    gates[0].unlink()
    assert waiting.result(timeout=30) == "waiting"
    worker.send(signal.SIGTERM)
    assert worker.wait(30) == 0
    # What the functions return after their time changes nothing.
    assert [job.status for job in hung] == ["dead"] * 32


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_job_may_use_multiprocessing_whose_children_enqueue(site: Site, method: str) -> None:
    start(site, workers=2)
    job = site.queue.enqueue("use_processes", ["mp", method])
    assert job.result(timeout=30) == [0, 0, 0]
    acks = site.marks.all("ack")
    assert len(acks) == 20
    for ack in acks:
        child = site.queue.get_job(ack.job_id)
        assert child is not None
        assert child.result(timeout=30) == ack.token
