"""Running jobs that are to be cancelled, in real workers."""

import signal

from taskito import JobResult
from tests.support.processes import STARTING, Program, Site
from tests.support.until import until


def running_job(
    site: Site,
    worker: Program,
    task: str,
    *,
    timeout: float | None = None,
    max_retries: int | None = None,
) -> JobResult[str]:
    """A job of this worker that goes on until its gate is opened."""
    job: JobResult[str] = site.queue.enqueue(
        task, ["it", str(site.gate())], timeout=timeout, max_retries=max_retries
    )
    assert site.marks.wait("start", "it", within=STARTING).pid == worker.pid
    return job


def assert_cancelled(job: JobResult[str], by: str = "request") -> None:
    assert job.wait(30)
    assert (job.status, job.error, job.errors) == ("cancelled", f"cancelled by {by}", [])


def test_a_job_that_looks_is_told(site: Site) -> None:
    job = running_job(site, site.ready_worker(), "watch")
    assert job.cancel()
    site.marks.wait("told", "it")
    assert_cancelled(job)
    assert site.marks.tokens("end") == []


def test_a_job_that_never_looks_completes(site: Site) -> None:
    worker = site.ready_worker()
    job = running_job(site, worker, "hold")
    assert site.queue.cancel_running_job(job.id)
    assert site.queue.cancel_running_job(job.id), "still running"
    (site.home / "gate.gate").unlink()
    assert job.result(timeout=30) == f"it by {worker.pid}"
    assert not site.queue.cancel_running_job(job.id)


def test_a_failure_after_the_request_is_not_retried(site: Site) -> None:
    worker = site.ready_worker()
    job = running_job(site, worker, "hold", timeout=1)
    assert job.cancel()
    assert job.wait(30)
    assert (job.status, job.error, job.retry_count) == ("cancelled", "cancelled by request", 0)
    assert len(job.errors) == 1


def test_a_snoozed_job_is_cancelled_where_it_would_wait(site: Site) -> None:
    site.ready_worker()
    job = site.queue.enqueue("snooze_until", ["it", str(site.gate())])
    site.marks.wait("start", "it", count=3)
    assert (job.errors, job.retry_count) == ([], 0)
    until(job.cancel)
    assert job.wait(30)
    assert job.status == "cancelled"


def test_a_job_handed_back_is_cancelled_instead(site: Site) -> None:
    worker = site.ready_worker(drain_timeout=0.5)
    job = running_job(site, worker, "hold")
    assert job.cancel()
    worker.send(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert_cancelled(job)


def test_a_lost_job_is_cancelled_instead(site: Site) -> None:
    worker = site.ready_worker()
    job = running_job(site, worker, "hold")
    assert job.cancel()
    site.ready_worker()
    worker.kill()
    assert job.wait(30)
    assert (job.status, len(site.marks.all("start"))) == ("cancelled", 1)


def test_an_attempt_that_counts_no_more_is_told_when_its_worker_goes_on(site: Site) -> None:
    paused = site.ready_worker()
    job = running_job(site, paused, "watch", timeout=2, max_retries=0)
    paused.send(signal.SIGSTOP)
    site.ready_worker()
    assert job.wait(30)
    assert job.status == "dead"
    assert site.marks.tokens("told") == []
    paused.send(signal.SIGCONT)
    site.marks.wait("told", "it")
    assert site.queue.enqueue("note", ["after"]).result(timeout=30) == "after"
    assert len(job.errors) == 1


def test_progress_and_log_lines_are_seen_while_the_job_runs(site: Site) -> None:
    job = running_job(site, site.ready_worker(), "report")
    until(lambda: job.progress == 50)
    assert job.status == "running"
    (site.home / "gate.gate").unlink()
    assert job.result(timeout=30) == "it"
    assert job.progress == 99
