"""Workflows outlive whoever applied them, and the workers that run them."""

import random
import signal
from collections import Counter
from typing import Any

import pytest

from taskito import DependencyFailedError, JobResult, TaskFailedError, TaskWrapper, chain, chord
from tests.support.processes import STARTING, Site
from tests.support.until import until

MEMBERS = 30


def task(site: Site, name: str) -> TaskWrapper[..., Any]:
    """A task of the workshop, to build with; it never runs in this process."""

    @site.queue.task(name=name)
    def elsewhere(*_: object) -> None:
        raise AssertionError("this runs in a worker")

    return elsewhere


def jobs_of(site: Site, ids: list[str]) -> list[JobResult[Any]]:
    found = [site.queue.get_job(job_id) for job_id in ids]
    return [job for job in found if job is not None]


def runs_again(site: Site) -> int:
    runs = Counter(site.marks.tokens("start"))
    return runs.total() - len(runs)


class TestKilledCaller:
    def test_a_workflow_runs_although_its_caller_was_killed_right_after_apply(
        self, site: Site
    ) -> None:
        caller = site.script("apply_and_die", str(MEMBERS))
        assert caller.wait(within=STARTING) == -signal.SIGKILL
        [ack] = site.marks.all("ack")
        assert site.queue.stats()["pending"] == MEMBERS + 3

        site.worker(workers=2)
        [job] = jobs_of(site, [ack.job_id])
        joined = " ".join(f"first {number}" for number in range(MEMBERS))
        assert job.result(timeout=STARTING) == f"{joined}."
        assert len(site.marks.tokens("start")) == MEMBERS + 3
        assert runs_again(site) == 0

    def test_a_workflow_is_stored_whole_or_not_at_all(self, site: Site) -> None:
        members = 3000
        found = []
        for number in range(8):
            caller = site.script("apply_and_die", str(members))
            site.marks.wait("imported", count=number + 1, within=STARTING)
            until(lambda: random.random() < 0.08, within=STARTING)  # some 60 ms, or none
            caller.kill()
            whole, rest = divmod(site.queue.stats()["pending"], members + 3)
            assert rest == 0
            found.append(whole)
        print(f"whole workflows after each kill: {found}")


class TestKilledWorkers:
    def test_a_chord_gets_every_result_although_workers_are_killed(self, site: Site) -> None:
        work, join = task(site, "work"), task(site, "join")
        tokens = [f"member {number}" for number in range(MEMBERS)]
        members = (work.s(token, random.uniform(0, 0.02)) for token in tokens)
        job = chord(members, join.s("joined")).apply()
        for kill in range(3):
            done = len(site.marks.all("end"))
            victim = site.worker(workers=2)
            site.marks.wait("end", count=done + 1 + 2 * kill, within=STARTING)
            victim.kill()
        site.worker(workers=2)
        assert job.result(timeout=STARTING) == " ".join(tokens)
        losses = sum(len(member.errors) for member in jobs_of(site, job.dependencies))
        assert losses >= 1
        assert runs_again(site) <= losses
        assert len(site.marks.all("start", "joined")) == 1

    def test_a_callback_whose_worker_is_killed_receives_the_results_again(self, site: Site) -> None:
        note, join_behind, extend = (task(site, n) for n in ("note", "join_behind", "extend"))
        gate = site.gate()
        header = [note.s("a"), note.s("b")]
        job = chain(chord(header, join_behind.s("join", str(gate))), extend.s(".")).apply()
        victim = site.worker()
        site.marks.wait("start", "join", within=STARTING)
        victim.kill()
        gate.unlink()
        site.worker()
        assert job.result(timeout=STARTING) == "a b."
        assert Counter(site.marks.tokens("start")) == {"a": 1, "b": 1, "join": 2, ".": 1}
        [callback] = jobs_of(site, job.dependencies)
        assert len(callback.errors) == 1

    def test_a_step_that_kills_its_workers_cancels_what_follows(self, site: Site) -> None:
        die, note, join = (task(site, name) for name in ("die", "note", "join"))
        lethal = die.s("lethal", "kill")
        job = chord([note.s("a"), lethal.set(max_retries=0)], join.s("joined")).apply()
        victim = site.worker()
        victim.wait(within=STARTING)
        site.worker()
        with pytest.raises(DependencyFailedError) as caught:
            job.result(timeout=STARTING)
        assert isinstance(caught.value.__cause__, TaskFailedError)
        assert "WorkerLostError" in caught.value.__cause__.error
        assert site.marks.all("start", "joined") == []

    def test_workers_in_several_processes_share_workflows(self, site: Site) -> None:
        note, extend = task(site, "note"), task(site, "extend")
        letters = [f"{number:02}" for number in range(10)]
        chains = [
            chain(note.s(f"chain {n}:"), *(extend.s(letter) for letter in letters)).apply()
            for n in range(40)
        ]
        for _ in range(3):
            site.worker(workers=2)
        for number, job in enumerate(chains):
            assert job.result(timeout=STARTING) == f"chain {number}:{''.join(letters)}"
        assert len(site.marks.tokens("start")) == 40 * 11
