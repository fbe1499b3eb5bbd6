"""A job goes from one process to another through nothing but the file."""

from pathlib import Path

import pytest

from tests.support.processes import STARTING, Site, open_site

NAMES = [
    "jobs.db",
    "with some spaces/my jobs.db",
    "Grüße aus Łódź/заказы/仕事 🚀.db",
    "quote ' and \" and ?mode=ro&x=% 20#.db",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_job_enqueued_in_one_process_runs_in_another_on_any_path(
    tmp_path: Path, name: str
) -> None:
    token = f"naïve Zoë — {name}"
    with open_site(tmp_path, database=tmp_path / name) as site:
        gate = site.gate()
        gate.unlink()
        producer = site.script("produce", token, "1", "1", str(gate))
        assert producer.wait(STARTING) == 0
        worker = site.worker()
        (ack,) = site.marks.all("ack")
        job = site.queue.get_job(ack.job_id)
        assert job is not None
        assert job.result(timeout=STARTING) == f"{token}/0/0"
        (run,) = site.marks.all("start")
        assert (run.token, run.pid) == (f"{token}/0/0", worker.pid)
        assert len({run.pid, ack.pid, producer.pid, worker.pid}) == 2
        assert (tmp_path / name).is_file()


def test_arguments_and_results_cross_the_processes_unchanged(site: Site) -> None:
    site.worker()
    tokens = ["", " ", "ünïcödé", "日本語", "\x00\n\t\\", "🙂" * 1000, "'; DROP TABLE job; --"]
    jobs = [site.queue.enqueue("note", [token]) for token in tokens]
    assert [job.result(timeout=STARTING) for job in jobs] == tokens
    assert sorted(site.marks.tokens("start")) == sorted(tokens)


def test_a_worker_started_before_there_is_a_database_runs_what_is_enqueued_later(
    site: Site,
) -> None:
    site.ready_worker()
    gate = site.gate()
    gate.unlink()
    site.script("produce", "late", "1", "3", str(gate))
    site.marks.wait("start", "late/0/2", within=STARTING)
    assert site.wait_until_settled(within=STARTING)["completed"] == 3


def test_a_result_wakes_a_waiter_in_another_process(site: Site) -> None:
    site.ready_worker()
    gate = site.gate()
    job = site.queue.enqueue("hold", ["waited for", str(gate)])
    site.marks.wait("start", "waited for")
    gate.unlink()
    assert job.wait(timeout=30)
    assert job.status == "complete"
