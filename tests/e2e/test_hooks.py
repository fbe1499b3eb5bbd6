"""Hooks and contexts in worker processes that are watched from another process."""

import signal
import time

import pytest

from taskito import TaskCancelledError
from tests.support.processes import STARTING, Program, Site
from tests.support.until import until

SLACK = 1.0
"""Seconds a busy machine may add to a bound that holds on an idle one."""


def worker(site: Site) -> Program:
    """Start a worker of the application that listens."""
    app = "tests.e2e.programs.listening:queue"
    return site.taskito("worker", "--app", app, "--workers", "1")


def ready_worker(site: Site) -> Program:
    program = worker(site)
    until(lambda: site.status_of(program) == "active", within=STARTING)
    return program


@pytest.mark.parametrize("max_retries", [1, 2])
def test_failures_and_the_dead_letter_are_heard(site: Site, max_retries: int) -> None:
    job = site.queue.enqueue("fail", max_retries=max_retries)
    worker(site)
    dead = site.marks.wait("dead: OSError", "fail")
    assert dead.job_id == job.id
    assert len(site.marks.all("failure: OSError")) == max_retries + 1
    assert [letter["original_job_id"] for letter in site.queue.dead_letters()] == [job.id]


def test_hooks_up_to_the_commit_have_run_when_the_result_is_there(site: Site) -> None:
    ready_worker(site)
    for _ in range(20):
        job = site.queue.enqueue("quick")
        assert job.result(timeout=30) == "done"
        assert site.marks.all("after")[-1].job_id == job.id


@pytest.mark.parametrize("task", ["sleep", "sleep_async"])
def test_a_timeout_is_heard_and_stored(site: Site, task: str) -> None:
    ready_worker(site)
    job = site.queue.enqueue(task, timeout=0.2, max_retries=0)
    assert job.wait(30)
    site.marks.wait("dead: TaskTimeoutError", task)
    assert job.status == "dead"
    assert [mark.event for mark in site.marks.all(token=task)] == [
        "before",
        "failure: TaskTimeoutError",
        "after",
        "dead: TaskTimeoutError",
    ]


def test_a_cancel_request_is_raised(site: Site) -> None:
    ready_worker(site)
    job = site.queue.enqueue("check")
    site.marks.wait("checking")
    until(lambda: job.progress == 10)
    assert site.queue.cancel_running_job(job.id)
    site.marks.wait("cancelled")
    with pytest.raises(TaskCancelledError, match="cancelled by request"):
        job.result(timeout=30)


def test_a_child_that_a_job_forked_calls_no_hooks(site: Site) -> None:
    program = ready_worker(site)
    gate = site.gate()
    job = site.queue.enqueue("fork_and_return", [str(gate)])
    site.marks.wait("forked")
    time.sleep(0.3)  # for what must not happen
    assert site.marks.all("after") == []
    gate.unlink()
    assert job.result(timeout=30) == f"the result of {program.pid}"
    assert [mark.pid for mark in site.marks.all("after")] == [program.pid]


def test_of_a_lost_job_only_the_dead_letter_is_heard_in_the_worker_that_noticed(
    site: Site,
) -> None:
    lethal = ready_worker(site)
    job = site.queue.enqueue("die", max_retries=0)
    assert lethal.wait(30) == -signal.SIGKILL
    other = worker(site)
    dead = site.marks.wait("dead: WorkerLostError", "die", within=STARTING)
    assert (dead.job_id, dead.pid) == (job.id, other.pid)
    assert [mark.event for mark in site.marks.all(token="die")] == [
        "before",
        "dead: WorkerLostError",
    ]


def test_a_run_that_was_taken_for_lost_ends_without_a_sound(site: Site) -> None:
    stale = ready_worker(site)
    first, second = site.gate("first"), site.gate("second")
    job = site.queue.enqueue("look_dead", [str(first), str(second)])
    assert site.marks.wait("before").pid == stale.pid
    successor = worker(site)
    assert site.marks.wait("before", count=2, within=STARTING).pid == successor.pid
    first.unlink()
    stale.wait(30)  # it has nothing more to run, so it ends
    second.unlink()
    job.result(timeout=30)
    after = [mark.pid for mark in site.marks.all("after", "look_dead")]
    assert after == [successor.pid]


def test_a_worker_that_drains_runs_its_hooks_to_the_end(site: Site) -> None:
    program = ready_worker(site)
    job = site.queue.enqueue("fail", ["slow hook"], max_retries=0)
    assert job.wait(30)
    program.send(signal.SIGTERM)
    assert program.wait(30) == 0
    assert [mark.job_id for mark in site.marks.all("dead: OSError")] == [job.id]
