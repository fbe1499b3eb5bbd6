"""Coroutines in real workers: how they end."""

import signal
import time

from taskito import JobResult
from tests.support.processes import STARTING, Program, Site
from tests.support.until import until


def held_job(
    site: Site,
    worker: Program,
    token: str = "held",
    *,
    timeout: float | None = None,
    max_retries: int | None = None,
) -> JobResult[str]:
    """A coroutine that this worker is running and that does not end by itself."""
    gate = str(site.gate(token))
    job: JobResult[str] = site.queue.enqueue(
        "hold_async", [token, gate], timeout=timeout, max_retries=max_retries
    )
    assert site.marks.wait("start", token, within=STARTING).pid == worker.pid
    return job


def test_many_run_at_once_beside_a_busy_thread(site: Site) -> None:
    worker = site.ready_worker()
    plain = site.queue.enqueue("hold", ["plain", str(site.gate("plain"))])
    jobs = [held_job(site, worker, f"number {n}") for n in range(20)]
    site.marks.wait("start", "plain", within=5)
    for gate in site.home.glob("*.gate"):
        gate.unlink()
    assert plain.result(timeout=10) == f"plain by {worker.pid}"
    assert [job.result(timeout=10) for job in jobs] == [
        f"number {n} by {worker.pid}" for n in range(20)
    ]


def test_a_timeout_cancels_within_half_a_second(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker, timeout=0.2, max_retries=0)
    started = site.marks.all("start", "held")[0].at
    assert site.marks.wait("cancelled", "held", within=5).at - started < 0.2 + 0.5
    assert job.wait(5)
    assert (job.status, site.marks.tokens("end")) == ("dead", [])


def test_a_request_cancels_within_half_a_second(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker)
    asked = time.monotonic()
    assert site.queue.cancel_running_job(job.id)
    assert site.marks.wait("cancelled", "held", within=5).at - asked < 0.5
    assert job.wait(5)
    assert (job.status, job.error) == ("cancelled", "cancelled by request")


def test_a_timeout_is_settled_while_the_loop_is_blocked(site: Site) -> None:
    worker = site.ready_worker()
    gate = site.gate()
    blocking = site.queue.enqueue(
        "block_the_loop", ["blocks", str(gate)], timeout=0.2, max_retries=0
    )
    started = site.marks.wait("start", "blocks", within=5).at
    assert blocking.wait(5)
    assert time.monotonic() - started < 0.2 + 1.0
    assert blocking.status == "dead"
    assert site.queue.enqueue("note", ["a thread"]).result(timeout=5) == "a thread"
    gate.unlink()
    assert held_job(site, worker, "after").cancel()


def test_a_drain_lets_them_finish(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker)
    worker.send(signal.SIGTERM)
    until(lambda: "SIGTERM" in worker.err, within=2)
    (site.home / "held.gate").unlink()
    assert worker.wait(10) == 0
    assert job.result(timeout=0) == f"held by {worker.pid}"


def test_the_second_signal_cancels_them_and_the_process_ends(site: Site) -> None:
    worker = site.ready_worker()
    jobs = [held_job(site, worker, "held"), held_job(site, worker, "held too")]
    worker.send(signal.SIGTERM)
    until(lambda: "SIGTERM" in worker.err, within=2)
    asked = time.monotonic()
    worker.send(signal.SIGTERM)
    assert worker.wait(5) == 128 + signal.SIGTERM
    assert time.monotonic() - asked < 2
    assert sorted(site.marks.tokens("cancelled")) == ["held", "held too"]
    for job in jobs:
        job.refresh()
        assert (job.status, job.retry_count, job.errors) == ("pending", 0, [])


def test_the_second_signal_ends_a_process_whose_loop_is_blocked(site: Site) -> None:
    worker = site.ready_worker()
    job = site.queue.enqueue("block_the_loop", ["blocks", str(site.gate())])
    site.marks.wait("start", "blocks", within=5)
    worker.send(signal.SIGTERM)
    until(lambda: "SIGTERM" in worker.err, within=2)
    asked = time.monotonic()
    worker.send(signal.SIGTERM)
    assert worker.wait(5) == 128 + signal.SIGTERM
    assert time.monotonic() - asked < 2
    job.refresh()
    assert (job.status, job.errors) == ("pending", [])


def test_a_killed_worker_loses_them_to_a_live_one(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker)
    peer = site.ready_worker()
    worker.kill()
    site.marks.wait("start", "held", count=2, within=5)
    (site.home / "held.gate").unlink()
    assert job.result(timeout=5) == f"held by {peer.pid}"
    assert len(job.errors) == 1
