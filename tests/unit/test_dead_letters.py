"""Dead letters: listed, retried, removed."""

import threading
from collections.abc import Callable

import pytest

from taskito import JobNotFoundError, Queue
from tests.unit.conftest import StartWorker

Bury = Callable[..., list[str]]


@pytest.fixture
def bury(queue: Queue, start_worker: StartWorker) -> Bury:
    """Make dead letters; their ids, oldest first. No worker is left after the first call."""

    def bury(count: int = 1, task: str = "t", in_queue: str = "default") -> list[str]:
        queue.task(name=task, max_retries=0)(lambda: 1 / 0)
        jobs = queue.enqueue_many(task, [()] * count, queue=in_queue)
        worker = start_worker()
        for job in jobs:
            job.wait()
        queue.shutdown(wait=True)
        worker.join()
        ids = {letter["original_job_id"]: letter["id"] for letter in queue.dead_letters(1000)}
        return [ids[job.id] for job in jobs]

    return bury


class TestList:
    def test_by_task_and_queue_in_pages(self, queue: Queue, bury: Bury) -> None:
        mail = bury(3, "send", "mail")
        other = bury(1, "t")
        assert [letter["id"] for letter in queue.dead_letters(task_name="t")] == other
        assert queue.dead_letters(queue="nowhere") == []
        page = queue.dead_letters(2, queue="mail")
        rest = queue.dead_letters(2, queue="mail", cursor=page.next_cursor)
        assert sorted(letter["id"] for letter in [*page, *rest]) == sorted(mail)
        assert (len(page), len(rest), rest.next_cursor) == (2, 1, None)


class TestRetryAll:
    def test_oldest_first_up_to_a_limit(self, queue: Queue, bury: Bury) -> None:
        bury(5)
        letters = queue.dead_letters()[::-1]
        first = queue.retry_all_dead(limit=2)
        assert [letter["id"] for letter in queue.dead_letters()[::-1]] == [
            letter["id"] for letter in letters[2:]
        ]
        rest = queue.retry_all_dead()
        assert queue.dead_letters() == []
        assert (len(first), len(rest), queue.retry_all_dead()) == (2, 3, [])
        assert all(queue.get_job(job_id) is not None for job_id in [*first, *rest])
        assert queue.stats()["dead"] == 5
        assert first + rest == sorted(first + rest)

    def test_by_task_and_queue(self, queue: Queue, bury: Bury) -> None:
        bury(2, "send", "mail")
        bury(1, "t")
        assert len(queue.retry_all_dead("t", "mail")) == 0
        (job_id,) = queue.retry_all_dead("t")
        job = queue.get_job(job_id)
        assert job is not None
        assert job.task_name == "t"
        assert len(queue.retry_all_dead(queue="mail")) == 2

    def test_a_limit_of_nothing_and_less(self, queue: Queue, bury: Bury) -> None:
        bury(1)
        assert queue.retry_all_dead(limit=0) == []
        with pytest.raises(ValueError, match="limit must be between 0"):
            queue.retry_all_dead(limit=-1)
        assert len(queue.dead_letters()) == 1

    def test_each_exactly_once_whoever_asks(self, queue: Queue, bury: Bury) -> None:
        bury(60)
        ready = threading.Barrier(4)
        answers: list[list[str]] = []

        def retry() -> None:
            with Queue(queue.db_path, durability="normal") as own:
                ready.wait()
                answers.append(own.retry_all_dead())

        threads = [threading.Thread(target=retry) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [job_id for answer in answers for job_id in answer]
        assert len(ids) == len(set(ids)) == 60
        assert queue.stats()["pending"] == 60

    def test_a_job_that_dies_again_at_once_does_not_come_round_for_ever(
        self, queue: Queue, bury: Bury, start_worker: StartWorker
    ) -> None:
        bury(50)
        start_worker()
        ids = queue.retry_all_dead()
        assert len(ids) == 50
        for job_id in ids:
            job = queue.get_job(job_id)
            assert job is not None
            job.wait()
        assert len(queue.dead_letters(1000)) == 50


class TestRemove:
    def test_the_job_stays_dead(self, queue: Queue, bury: Bury) -> None:
        (letter,) = bury()
        assert queue.delete_dead(letter)
        assert not queue.delete_dead(letter)
        assert not queue.delete_dead("no id")
        assert (queue.dead_letters(), queue.stats()["dead"]) == ([], 1)
        with pytest.raises(JobNotFoundError, match=f"dead letter '{letter}' not found"):
            queue.retry_dead(letter)

    def test_purge_by_age_task_and_queue(self, queue: Queue, bury: Bury) -> None:
        bury(2, "send", "mail")
        bury(1, "t")
        assert queue.purge_dead() == 0
        with queue._database as store:
            latest = max(letter["failed_at"] for letter in queue.dead_letters())
            while store.now <= latest:
                pass
        assert queue.purge_dead(0, task_name="t", queue="mail") == 0
        assert queue.purge_dead(0, queue="mail") == 2
        assert queue.purge_dead(0) == 1
        assert queue.stats()["dead"] == 3


class TestReplay:
    def test_is_a_new_job_that_names_its_source(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        task = queue.task(name="t")(lambda x: x * 2)
        job = task.options(priority=4, result_ttl=60, metadata="m", max_retries=7).delay(21)
        again = queue.replay(job.id)
        assert again != job
        assert (again.priority, again.max_retries) == (4, 7)
        assert again.metadata == f'{{"replayed_from": "{job.id}"}}'
        start_worker()
        assert again.result() == job.result() == 42
        assert queue.list_jobs(metadata={"replayed_from": job.id}) == [again]

    def test_history_has_the_documented_keys_newest_first(self, queue: Queue, bury: Bury) -> None:
        bury()
        (job,) = queue.list_jobs()
        first, second = queue.replay(job.id), queue.replay(job.id)
        history = queue.replay_history(job.id)
        assert [list(entry) for entry in history] == 2 * [
            [
                "id",
                "original_job_id",
                "replay_job_id",
                "replayed_at",
                "original_error",
                "replay_error",
            ]
        ]
        assert [entry["replay_job_id"] for entry in history] == [second.id, first.id]
        assert {entry["original_job_id"] for entry in history} == {job.id}
        assert history[0]["original_error"] == job.error
        assert history[0]["replay_error"] is None
        assert history[0]["replayed_at"] == second.created_at
        assert queue.replay_history("no id") == []

    @pytest.mark.parametrize("job_id", ["01890000-0000-7000-8000-000000000000", "no id"])
    def test_an_unknown_id_is_named(self, queue: Queue, job_id: str) -> None:
        with pytest.raises(JobNotFoundError, match=f"^job not found: {job_id}$"):
            queue.replay(job_id)


class TestProgress:
    def test_is_allowed_in_every_status(self, queue: Queue) -> None:
        job = queue.enqueue("t")
        queue.update_progress(job.id, 40)
        assert job.progress == 40
        job.cancel()
        queue.update_progress(job.id, 0)
        assert job.progress == 0

    @pytest.mark.parametrize("progress", [-1, 101])
    def test_is_from_0_to_100(self, queue: Queue, progress: int) -> None:
        job = queue.enqueue("t")
        with pytest.raises(ValueError, match="progress must be between 0 and 100, got"):
            queue.update_progress(job.id, progress)
        assert job.progress is None

    def test_an_unknown_id_is_named(self, queue: Queue) -> None:
        with pytest.raises(JobNotFoundError, match=r"^job not found: no id$"):
            queue.update_progress("no id", 1)
