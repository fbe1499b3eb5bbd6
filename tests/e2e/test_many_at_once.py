"""Producers and workers in numbers: nothing is lost, nothing runs twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest

from taskito import Queue
from tests.support.processes import STARTING, Site, open_site

PROCESSES = 4
THREADS = 8
JOBS = 10


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_every_job_of_eight_threads_in_each_of_four_processes_runs_exactly_once(
    tmp_path: Path, durability: Literal["full", "normal"]
) -> None:
    with open_site(tmp_path, durability=durability) as site:
        gate = site.gate()
        producers = [
            site.script("produce", f"p{number}", str(THREADS), str(JOBS), str(gate))
            for number in range(PROCESSES)
        ]
        for number in range(PROCESSES):
            site.marks.wait("ready", f"p{number}", within=STARTING)
        gate.unlink()
        assert [producer.wait(STARTING) for producer in producers] == [0] * PROCESSES
        assert [producer.err for producer in producers] == [""] * PROCESSES
        wanted = {
            f"p{process}/{thread}/{job}"
            for process in range(PROCESSES)
            for thread in range(THREADS)
            for job in range(JOBS)
        }
        acks = site.marks.all("ack")
        assert {ack.token for ack in acks} == wanted
        assert len({ack.job_id for ack in acks}) == len(wanted)
        assert site.queue.stats()["pending"] == len(wanted)

        site.worker(workers=4)
        counts = site.wait_until_settled(within=STARTING)
        assert counts["completed"] == len(wanted)
        assert Counter(site.marks.tokens("start")) == dict.fromkeys(wanted, 1)


def test_eight_threads_of_one_process_share_a_queue_object_that_none_has_used_before(
    site: Site,
) -> None:
    def enqueue(thread: int) -> list[str]:
        return [site.queue.enqueue("note", [f"{thread}/{job}"]).id for job in range(JOBS)]

    _ = site.queue
    with ThreadPoolExecutor(8) as pool:
        ids = [job_id for chunk in pool.map(enqueue, range(8)) for job_id in chunk]
    assert len(set(ids)) == 8 * JOBS
    site.worker(workers=2)
    assert site.wait_until_settled(within=STARTING)["completed"] == 8 * JOBS
    assert max(Counter(site.marks.tokens("start")).values()) == 1


def test_processes_that_use_a_new_database_for_the_first_time_at_once_all_succeed(
    site: Site,
) -> None:
    processes, rounds = 5, 30
    folder = str(site.home / "new")
    programs = [
        site.script("open_first", folder, str(processes), str(rounds)) for _ in range(processes)
    ]
    assert [program.wait(STARTING) for program in programs] == [0] * processes
    assert site.marks.tokens("failed") == []
    acks = Counter(site.marks.tokens("ack"))
    assert acks == {str(number): processes for number in range(rounds)}
    for number in range(rounds):
        with Queue(Path(folder) / str(number) / "jobs.db") as queue:
            assert queue.stats()["pending"] == processes


def test_two_workers_on_one_file_run_each_of_5000_jobs_once(site: Site) -> None:
    tokens = [str(number) for number in range(5000)]
    jobs = site.queue.enqueue_many("note", [(token,) for token in tokens])
    assert len({job.id for job in jobs}) == 5000
    workers = [site.worker(workers=2) for _ in range(2)]
    counts = site.wait_until_settled(within=40)
    assert counts["completed"] == 5000
    assert Counter(site.marks.tokens("start")) == dict.fromkeys(tokens, 1)
    assert {mark.pid for mark in site.marks.all("start")} <= {worker.pid for worker in workers}


def test_two_workers_that_are_both_up_share_the_jobs_and_run_each_once(site: Site) -> None:
    workers = [site.ready_worker(workers=2) for _ in range(2)]
    tokens = [str(number) for number in range(200)]
    site.queue.enqueue_many("work", [(token, 0.01) for token in tokens])
    assert site.wait_until_settled(within=STARTING)["completed"] == 200
    assert Counter(site.marks.tokens("start")) == dict.fromkeys(tokens, 1)
    assert {mark.pid for mark in site.marks.all("start")} == {worker.pid for worker in workers}


def test_10000_jobs_of_an_unknown_task_do_not_hold_up_a_known_one(site: Site) -> None:
    unknown = site.queue.enqueue_many("nobody.knows", [(n,) for n in range(10_000)], priority=9)
    known = site.queue.enqueue("note", ["known"])
    site.ready_worker()
    assert known.result(timeout=30) == "known"
    for job in (unknown[0], unknown[5000], unknown[-1]):
        job.refresh()
        assert (job.status, job.retry_count, job.started_at) == ("pending", 0, None)
        assert site.queue.job_errors(job.id) == []
    again = site.queue.enqueue("note", ["again"])
    assert again.result(timeout=30) == "again"
    counts = site.queue.stats()
    assert (counts["pending"], counts["completed"], counts["running"]) == (10_000, 2, 0)
