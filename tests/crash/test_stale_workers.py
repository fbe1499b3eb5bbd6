"""A paused worker keeps its jobs; one that no longer holds a job cannot finish it."""

import os
import signal

from tests.support.processes import STARTING, Site


def test_a_paused_worker_keeps_its_job_and_finishes_it_once_when_it_goes_on(site: Site) -> None:
    paused = site.ready_worker()
    gate = site.gate()
    job = site.queue.enqueue("hold", ["held", str(gate)])
    site.marks.wait("start", "held")
    paused.send(signal.SIGSTOP)
    peer = site.ready_worker()
    # Longer than a dead worker's jobs may take to be recovered, and the peer is working.
    later = site.queue.enqueue("note", ["later"], delay=2.5)
    assert later.result(timeout=30) == "later"
    assert site.marks.wait("start", "later").pid == peer.pid
    assert job.status == "running"
    assert job.errors == []
    assert len(site.marks.all("start", "held")) == 1

    gate.unlink()
    paused.send(signal.SIGCONT)
    assert job.result(timeout=30) == f"held by {paused.pid}"
    assert len(site.marks.all("start", "held")) == 1
    assert job.errors == []
    assert site.queue.enqueue("note", ["after"]).result(timeout=30) == "after"
    assert paused.is_running()


def test_a_worker_whose_interpreter_is_held_for_long_keeps_its_jobs(site: Site) -> None:
    stuck = site.ready_worker()
    pipe = site.home / "pipe"
    os.mkfifo(pipe)
    job = site.queue.enqueue("hold_the_interpreter", ["held", str(pipe)])
    assert site.marks.wait("start", "held").pid == stuck.pid
    peer = site.ready_worker()
    later = site.queue.enqueue("note", ["later"], delay=2.1)
    assert later.result(timeout=30) == "later"
    assert site.marks.all("start", "later")[0].pid == peer.pid
    pipe.write_bytes(b".")
    assert job.result(timeout=30) == "held"
    assert len(site.marks.all("start", "held")) == 1
    assert job.errors == []


def test_a_timeout_of_a_paused_worker_is_enforced_by_another(site: Site) -> None:
    paused = site.ready_worker()
    gates = [str(site.gate("first")), str(site.gate("second"))]
    job = site.queue.enqueue("hold_by_turns", ["late", *gates], timeout=3, max_retries=1)
    site.marks.wait("start", "late")
    paused.send(signal.SIGSTOP)
    peer = site.ready_worker()
    again = site.marks.wait("start", "late", count=2)
    assert again.pid == peer.pid
    assert [str(record["error"]).partition(":")[0] for record in job.errors] == ["TaskTimeoutError"]

    # Whatever the first attempt does when it goes on, the second one counts.
    (site.home / "first.gate").unlink()
    paused.send(signal.SIGCONT)
    assert site.marks.wait("end", "late").pid == paused.pid
    assert job.status == "running"
    (site.home / "second.gate").unlink()
    assert job.result(timeout=30) == f"late by {peer.pid}"
    assert len(job.errors) == 1


def test_a_worker_killed_while_it_is_paused_loses_its_job_to_a_live_one(site: Site) -> None:
    paused = site.ready_worker()
    gate = site.gate()
    job = site.queue.enqueue("hold", ["held", str(gate)])
    site.marks.wait("start", "held")
    paused.send(signal.SIGSTOP)
    peer = site.ready_worker()
    paused.kill()
    site.marks.wait("start", "held", count=2)
    gate.unlink()
    assert job.result(timeout=30) == f"held by {peer.pid}"
    assert len(job.errors) == 1


def test_a_worker_that_was_taken_for_dead_cannot_settle_the_job_another_one_runs(
    site: Site,
) -> None:
    stale = site.ready_worker()
    first, second = site.gate("first"), site.gate("second")
    job = site.queue.enqueue("hold_as_if_dead", ["twice", str(first), str(second)])
    assert site.marks.wait("start", "twice").pid == stale.pid
    successor = site.ready_worker()
    assert site.marks.wait("start", "twice", count=2).pid == successor.pid
    assert len(job.errors) == 1

    first.unlink()
    assert site.marks.wait("end", "twice").pid == stale.pid
    # It claims nothing any more, and has tried to settle that when it has ended.
    assert stale.wait(30) == os.EX_TEMPFAIL
    assert "other workers took this one for dead" in stale.err
    assert job.status == "running"

    second.unlink()
    assert job.result(timeout=30) == f"twice by {successor.pid}"
    assert "WorkerLostError" in job.errors[0]["error"]
    assert len(job.errors) == 1
    assert job.retry_count == 0


def test_the_late_outcome_of_a_run_that_was_handed_back_changes_nothing(site: Site) -> None:
    gate, no_gate = site.gate(), site.home / "none"
    job = site.queue.enqueue("hold_by_turns", ["late", str(gate), str(no_gate)])
    stale = site.script("hand_over", "late")
    site.marks.wait("handed back", within=STARTING)
    assert (job.status, job.errors) == ("pending", [])

    successor = site.worker()
    assert job.result(timeout=STARTING) == f"late by {successor.pid}"
    settled = job.to_dict()
    gate.unlink()
    site.marks.wait("end", count=2)
    site.marks.leave("look", "late")
    site.marks.wait("function over")
    assert stale.wait(30) == 0
    assert stale.err == ""

    assert [mark.pid for mark in site.marks.all("end")] == [successor.pid, stale.pid]
    assert job.result(timeout=0) == f"late by {successor.pid}"
    job.refresh()
    assert job.to_dict() == settled
    assert (job.status, job.errors, job.retry_count) == ("complete", [], 0)


def test_the_late_outcome_does_not_settle_a_run_that_is_still_going_on(site: Site) -> None:
    first = site.gate("first")
    job = site.queue.enqueue("hold_by_turns", ["late", str(first), str(site.gate("second"))])
    stale = site.script("hand_over", "late")
    site.marks.wait("handed back", within=STARTING)
    successor = site.worker()
    assert site.marks.wait("start", "late", count=2, within=STARTING).pid == successor.pid

    first.unlink()
    assert site.marks.wait("end", "late").pid == stale.pid
    site.marks.leave("look", "late")
    assert stale.wait(30) == 0
    assert job.status == "running"

    (site.home / "second.gate").unlink()
    assert job.result(timeout=30) == f"late by {successor.pid}"
    assert job.errors == []
