"""How a worker ends: it drains, hands back what it must, and always exits."""

import signal
import time

import pytest

from taskito import JobResult
from tests.support.processes import STARTING, WORKSHOP, Program, Site
from tests.support.until import until

SIGNALS = [signal.SIGTERM, signal.SIGINT]


def assert_handed_back(site: Site, job: JobResult[object]) -> None:
    """The job waits as if it had never been started."""
    job.refresh()
    assert (job.status, job.retry_count, job.error) == ("pending", 0, None)
    assert site.queue.job_errors(job.id) == []
    assert site.queue.stats()["running"] == 0


def held_job(site: Site, worker: Program) -> JobResult[object]:
    """A job that this worker is running and that does not end by itself."""
    job: JobResult[object] = site.queue.enqueue("hold", ["held", str(site.gate())])
    assert site.marks.wait("start", "held", within=STARTING).pid == worker.pid
    return job


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_lets_a_running_job_finish(site: Site, signum: signal.Signals) -> None:
    worker = site.ready_worker()
    job = site.queue.enqueue("work", ["one second", 1.0])
    site.marks.wait("start")
    worker.send(signum)
    assert worker.wait(30) == 0
    assert site.marks.tokens("end") == ["one second"]
    assert job.result(timeout=0) == "one second"
    assert "Traceback" not in worker.err


def test_a_draining_worker_starts_nothing_new(site: Site) -> None:
    worker = site.ready_worker(workers=2)
    job = held_job(site, worker)
    worker.send(signal.SIGTERM)
    until(lambda: "SIGTERM" in worker.err)
    late = site.queue.enqueue("note", ["late"])
    assert late.wait(timeout=0.5) is False
    (site.home / "gate.gate").unlink()
    assert worker.wait(30) == 0
    assert job.result(timeout=0) == f"held by {worker.pid}"
    assert late.status == "pending"
    assert site.marks.tokens("start") == ["held"]


def test_a_draining_worker_is_listed_as_draining(site: Site) -> None:
    worker = site.ready_worker()
    held_job(site, worker)
    worker.send(signal.SIGTERM)
    until(lambda: site.status_of(worker) == "draining")


def test_jobs_that_had_not_started_are_handed_back_when_the_worker_drains(site: Site) -> None:
    site.queue.enqueue_many("note", [(f"quick {number}",) for number in range(200)])
    job = site.queue.enqueue("hold", ["held", str(site.gate())])
    site.queue.enqueue_many("note", [(f"behind {number}",) for number in range(50)])
    worker = site.worker()
    site.marks.wait("start", "held", within=STARTING)
    worker.send(signal.SIGTERM)
    until(lambda: "SIGTERM" in worker.err)
    until(lambda: site.queue.stats()["running"] == 1)
    assert site.queue.stats()["pending"] == 50
    (site.home / "gate.gate").unlink()
    assert worker.wait(30) == 0
    assert job.status == "complete"
    assert not any(token.startswith("behind") for token in site.marks.tokens("start"))

    site.worker()
    assert site.wait_until_settled(within=STARTING)["completed"] == 251
    assert len(site.marks.tokens("start")) == 251


def worker_id_of(site: Site, program: Program) -> str:
    (found,) = (row for row in site.queue.workers() if row["pid"] == program.pid)
    return str(found["worker_id"])


def test_a_worker_is_drained_by_another_process_and_the_others_go_on(site: Site) -> None:
    leaver, stayer = site.ready_worker(workers=2), site.ready_worker(workers=2)
    gate = site.gate()
    jobs = [site.queue.enqueue("hold", [f"held {number}", str(gate)]) for number in range(4)]
    until(lambda: len(site.marks.tokens("start")) == 4, within=STARTING)
    drained = site.taskito(
        "workers", "drain", worker_id_of(site, leaver)[:24], "--db", str(site.database)
    )
    assert drained.wait(STARTING) == 0, drained.report()
    assert "finishes 2 running jobs and leaves" in drained.out
    until(lambda: "asked to leave" in leaver.err)
    assert site.status_of(leaver) == "draining"
    more = [site.queue.enqueue("note", [f"more {number}"]) for number in range(20)]
    gate.unlink()
    assert leaver.wait(30) == 0
    assert "Traceback" not in leaver.err
    assert site.wait_until_settled(within=30)["completed"] == 24
    assert all(job.errors == [] for job in (*jobs, *more))
    assert len(site.marks.tokens("start")) == 24
    mine = {mark.pid for mark in site.marks.all("start") if mark.token.startswith("more")}
    assert mine == {stayer.pid}
    until(lambda: site.status_of(stayer) == "active")


def test_an_idle_worker_that_is_drained_leaves_with_its_process(site: Site) -> None:
    worker = site.ready_worker(drain_timeout=600)
    worker_id = worker_id_of(site, worker)
    assert site.queue.drain_worker(worker_id)
    assert worker.wait(30) == 0
    assert site.queue.workers() == []
    assert not site.queue.drain_worker(worker_id)


def test_a_drained_worker_that_is_killed_loses_its_job_to_another(site: Site) -> None:
    worker = site.ready_worker()
    job = held_job(site, worker)
    worker_id = worker_id_of(site, worker)
    assert site.queue.drain_worker(worker_id)
    until(lambda: "asked to leave" in worker.err)
    worker.kill()
    assert not site.queue.drain_worker(worker_id)
    (site.home / "gate.gate").unlink()
    successor = site.worker()
    assert job.result(timeout=STARTING) == f"held by {successor.pid}"


@pytest.mark.parametrize("signum", SIGNALS)
def test_an_idle_worker_stops_long_before_the_end_of_its_drain(
    site: Site, signum: signal.Signals
) -> None:
    worker = site.ready_worker(drain_timeout=600)
    assert site.queue.enqueue("note", ["once"]).result(timeout=30) == "once"
    worker.send(signum)
    assert worker.wait(30) == 0
    assert "Traceback" not in worker.err
    assert site.queue.workers() == []


def test_a_job_that_outlives_the_drain_is_handed_back_and_the_worker_ends(site: Site) -> None:
    worker = site.ready_worker(drain_timeout=0.3)
    job = held_job(site, worker)
    worker.send(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert_handed_back(site, job)
    assert "Traceback" not in worker.err

    (site.home / "gate.gate").unlink()
    successor = site.worker()
    assert job.result(timeout=STARTING) == f"held by {successor.pid}"
    assert job.errors == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGINT),
    ],
)
def test_a_second_signal_ends_the_worker_at_once_and_hands_its_job_back(
    site: Site, first: signal.Signals, second: signal.Signals
) -> None:
    worker = site.ready_worker(drain_timeout=600)
    job = held_job(site, worker)
    worker.send(first)
    until(lambda: first.name in worker.err)
    worker.send(second)
    assert worker.wait(30) == 128 + second
    assert_handed_back(site, job)
    assert "Traceback" not in worker.err

    (site.home / "gate.gate").unlink()
    successor = site.worker()
    assert job.result(timeout=STARTING) == f"held by {successor.pid}"


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_while_the_application_is_imported_ends_the_command_without_a_traceback(
    site: Site, signum: signal.Signals
) -> None:
    gate = site.gate()
    app = WORKSHOP.replace("workshop", "slow_start")
    worker = site.taskito("worker", "--app", app, env={"SITE_GATE": str(gate)})
    site.marks.wait("importing", within=STARTING)
    worker.send(signum)
    worker.wait(30)
    assert "Traceback" not in worker.err


@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize("moment", ["imported", "printed", "registered"])
def test_a_signal_during_start_up_ends_the_worker_without_a_traceback(
    site: Site, signum: signal.Signals, moment: str
) -> None:
    worker = site.worker()
    match moment:
        case "imported":
            site.marks.wait("imported", within=STARTING)
        case "printed":
            until(lambda: worker.out, within=STARTING)
        case _:
            until(lambda: site.status_of(worker), within=STARTING)
    worker.send(signum)
    worker.wait(30)
    assert "Traceback" not in worker.err


@pytest.mark.parametrize(("how", "status"), [("return", 0), ("exit", 7), ("raise", 1)])
def test_a_program_that_ends_beside_its_busy_worker_thread_keeps_its_exit_status(
    site: Site, how: str, status: int
) -> None:
    job = site.queue.enqueue("hold", ["held", str(site.gate())])
    program = site.script("leave", "held", how)
    left = site.marks.wait("leaving", within=STARTING).at
    assert program.wait(30) == status
    print(f"ended {time.monotonic() - left:.3f} s after the program was over")
    if how == "raise":
        assert program.err.rstrip().endswith("RuntimeError: the program ends with this error")
    else:
        assert program.err == ""
    assert_handed_back(site, job)
    assert site.queue.workers() == []

    (site.home / "gate.gate").unlink()
    successor = site.worker()
    assert job.result(timeout=STARTING) == f"held by {successor.pid}"
    assert job.errors == []


def test_a_program_that_ends_beside_its_idle_worker_thread_keeps_its_exit_status(
    site: Site,
) -> None:
    program = site.script("leave", "", "exit")
    site.marks.wait("leaving", within=STARTING)
    assert program.wait(30) == 7
    assert program.err == ""
    assert site.queue.workers() == []
