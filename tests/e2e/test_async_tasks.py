"""Coroutines in real workers: how they end."""

import signal

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
    site.marks.wait("start", "plain")
    for gate in site.home.glob("*.gate"):
        gate.unlink()
    assert plain.result(timeout=30) == f"plain by {worker.pid}"
    assert [job.result(timeout=30) for job in jobs] == [
        f"number {n} by {worker.pid}" for n in range(20)
    ]


def test_a_timeout_cancels(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker, timeout=0.2, max_retries=0)
    site.marks.wait("cancelled", "held")
    assert job.wait(30)
    assert (job.status, site.marks.tokens("end")) == ("dead", [])


def test_a_request_cancels(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker)
    assert site.queue.cancel_running_job(job.id)
    site.marks.wait("cancelled", "held")
    assert job.wait(30)
    assert (job.status, job.error) == ("cancelled", "cancelled by request")


def test_a_timeout_is_settled_while_the_loop_is_blocked(site: Site) -> None:
    worker = site.ready_worker()
    gate = site.gate()
    blocking = site.queue.enqueue(
        "block_the_loop", ["blocks", str(gate)], timeout=0.2, max_retries=0
    )
    assert blocking.wait(30)
    assert gate.exists()
    assert blocking.status == "dead"
    assert site.queue.enqueue("note", ["a thread"]).result(timeout=30) == "a thread"
    gate.unlink()
    assert held_job(site, worker, "after").cancel()


def test_a_drain_lets_them_finish(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker)
    worker.send(signal.SIGTERM)
    until(lambda: "SIGTERM" in worker.err)
    (site.home / "held.gate").unlink()
    assert worker.wait(30) == 0
    assert job.result(timeout=0) == f"held by {worker.pid}"


def test_the_second_signal_cancels_them_and_the_process_ends(site: Site) -> None:
    worker = site.ready_worker(drain_timeout=600)
    jobs = [held_job(site, worker, "held"), held_job(site, worker, "held too")]
    worker.send(signal.SIGTERM)
    until(lambda: "SIGTERM" in worker.err)
    worker.send(signal.SIGTERM)
    assert worker.wait(30) == 128 + signal.SIGTERM
    assert sorted(site.marks.tokens("cancelled")) == ["held", "held too"]
    for job in jobs:
        job.refresh()
        assert (job.status, job.retry_count, job.errors) == ("pending", 0, [])


def test_the_second_signal_ends_a_process_whose_loop_is_blocked(site: Site) -> None:
    worker = site.ready_worker(drain_timeout=600)
    job = site.queue.enqueue("block_the_loop", ["blocks", str(site.gate())])
    site.marks.wait("start", "blocks")
    worker.send(signal.SIGTERM)
    until(lambda: "SIGTERM" in worker.err)
    worker.send(signal.SIGTERM)
    assert worker.wait(30) == 128 + signal.SIGTERM
    job.refresh()
    assert (job.status, job.errors) == ("pending", [])


def test_a_killed_worker_loses_them_to_a_live_one(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker)
    peer = site.ready_worker()
    worker.kill()
    site.marks.wait("start", "held", count=2)
    (site.home / "held.gate").unlink()
    assert job.result(timeout=30) == f"held by {peer.pid}"
    assert len(job.errors) == 1
