"""Constructing, closing and describing a queue."""

from pathlib import Path
from typing import Any

import pytest

from taskito import (
    CloudpickleSerializer,
    ConfigurationError,
    JobNotFoundError,
    JsonSerializer,
    Queue,
    QueueClosedError,
    StorageError,
)
from taskito.app import Queue as QueueOfApp
from taskito.job import JobResult
from taskito.result import JobResult as JobResultOfResult


class TestConstruct:
    def test_opens_nothing(self, tmp_path: Path) -> None:
        queue = Queue(tmp_path / "new" / "jobs.db")
        queue.task(name="t")(print)
        assert list(tmp_path.iterdir()) == []
        queue.close()
        assert list(tmp_path.iterdir()) == []

    def test_the_first_call_creates_the_file_and_its_directory(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "new" / "jobs.db") as queue:
            queue.stats()
            assert (tmp_path / "new" / "jobs.db").is_file()

    def test_a_symbolic_link_to_a_database_is_that_database(self, tmp_path: Path) -> None:
        """What lies beside it had the name of the link: workers took each other for dead."""
        (tmp_path / "link.db").symlink_to(tmp_path / "jobs.db")
        with Queue(tmp_path / "jobs.db") as queue:
            job = queue.enqueue("t")
            with Queue(tmp_path / "link.db") as linked:
                assert linked.get_job(job.id) == job
                linked.enqueue("t")
        beside = {path.name for path in tmp_path.iterdir()} - {"link.db"}
        assert beside == {"jobs.db", "jobs.db-bell", "jobs.db-shm", "jobs.db-wal"}

    def test_the_path_is_argument_then_variable_then_default(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        assert Queue().db_path == ".taskito/taskito.db"
        monkeypatch.setenv("TASKITO_DB_PATH", "from-variable.db")
        assert Queue().db_path == "from-variable.db"
        assert Queue("~/x.db").db_path == "~/x.db"
        assert Queue(tmp_path / "x.db").db_path == str(tmp_path / "x.db")
        assert repr(Queue("x.db")) == "<Queue 'x.db'>"

    def test_the_serializer_can_be_read(self) -> None:
        assert isinstance(Queue().serializer, CloudpickleSerializer)
        serializer = JsonSerializer()
        assert Queue(serializer=serializer).serializer is serializer

    @pytest.mark.parametrize(
        ("arguments", "error", "match"),
        [
            ({"workers": -1}, ValueError, "workers must be between 0"),
            ({"workers": 1.0}, TypeError, "workers must be an integer"),
            ({"default_retry": -1}, ValueError, "default_retry must be between 0"),
            ({"default_timeout": -1}, ValueError, "default_timeout must not be negative"),
            ({"default_priority": 1.5}, TypeError, "default_priority must be an integer"),
            ({"result_ttl": -1}, ValueError, "result_ttl must not be negative"),
            ({"result_ttl": "1h"}, TypeError, "result_ttl must be seconds"),
            ({"drain_timeout": -1}, ValueError, "drain_timeout must not be negative"),
            ({"durability": "none"}, ConfigurationError, "durability must be 'full' or"),
            ({"max_payload_bytes": 0}, ValueError, "max_payload_bytes"),
            (
                {"serializer": object()},
                TypeError,
                "serializer must be an object with dumps and loads",
            ),
            ({"serializer": JsonSerializer}, TypeError, "got <class 'taskito.serializers.Json"),
            ({"db_path": b"x.db"}, TypeError, "db_path must be a str"),
            ({"db_path": ""}, ConfigurationError, "db_path is empty\nhint: leave it out"),
        ],
    )
    def test_a_bad_value_is_named(
        self, arguments: dict[str, Any], error: type[Exception], match: str
    ) -> None:
        with pytest.raises(error, match=match):
            Queue(**arguments)


class TestClose:
    def test_later_use_raises(self, queue: Queue) -> None:
        task = queue.task(name="t")(lambda: None)
        job = task.delay()
        queue.close()
        queue.close()
        for use in (queue.stats, task.delay, lambda: job.status, queue.run_worker):
            with pytest.raises(QueueClosedError, match="is closed\nhint: create a new Queue"):
                use()
        assert repr(job) == f"<JobResult id={job.id} status=unknown>"

    def test_leaving_the_block_closes(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "x.db") as queue:
            queue.stats()
        with pytest.raises(QueueClosedError):
            queue.stats()

    def test_a_database_in_memory_belongs_to_its_object(self) -> None:
        with Queue(":memory:") as one, Queue(":memory:") as other:
            one.enqueue("t")
            assert one.stats()["pending"] == 1
            assert other.stats()["pending"] == 0

    def test_shutdown_without_a_worker_does_nothing(self, queue: Queue) -> None:
        queue.shutdown()
        queue.shutdown(wait=True, now=True)


class TestTranslate:
    def test_a_foreign_file_is_a_storage_error_with_its_path(self, tmp_path: Path) -> None:
        path = tmp_path / "letter.txt"
        path.write_text("Dear database, " * 1000)
        with Queue(path) as queue, pytest.raises(StorageError, match=r"letter\.txt") as caught:
            queue.stats()
        assert caught.value.path == str(path)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    def test_the_queue_works_again_once_the_cause_is_gone(self, tmp_path: Path) -> None:
        blocker = tmp_path / "blocker"
        blocker.write_text("a file where a directory should be")
        with Queue(blocker / "jobs.db") as queue:
            with pytest.raises(StorageError):
                queue.enqueue("t")
            blocker.unlink()
            assert queue.enqueue("t").status == "pending"

    def test_an_unknown_dead_letter_is_not_found(self, queue: Queue) -> None:
        with pytest.raises(JobNotFoundError, match="0190-none"):
            queue.retry_dead("0190-none")


def test_the_import_paths_of_0_2_name_the_same_classes() -> None:
    assert QueueOfApp is Queue
    assert JobResultOfResult is JobResult
