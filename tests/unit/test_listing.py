"""Lists of jobs: filters, pages, counts."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from taskito import JobPage, Queue
from tests.support.until import until
from tests.unit.conftest import StartWorker


class TestFilter:
    def test_by_time_in_milliseconds_or_with_a_zone(self, queue: Queue) -> None:
        first = queue.enqueue("t")
        with queue._database as store:
            until(lambda: store.now > first.created_at)
        second = queue.enqueue("t")
        instant = second.created_at
        zone = timezone(timedelta(hours=2))
        moment = datetime.fromtimestamp(instant / 1000, zone).replace(
            microsecond=instant % 1000 * 1000
        )
        for bound in (instant, moment, moment.astimezone(UTC)):
            assert queue.list_jobs(created_after=bound) == [second]
            assert queue.list_jobs(created_before=bound) == [first]
        later = moment + timedelta(microseconds=1)
        assert queue.list_jobs(created_after=later) == []
        assert queue.list_jobs(created_before=later) == [second, first]

    def test_a_datetime_without_a_zone_is_refused(self, queue: Queue) -> None:
        naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake under test
        with pytest.raises(ValueError, match=r"created_after must have a time zone, got .*\nhint"):
            queue.list_jobs(created_after=naive)
        with pytest.raises(ValueError, match="created_before must have a time zone"):
            queue.count_jobs(created_before=naive)

    def test_by_a_text_in_metadata_without_wildcards(self, queue: Queue) -> None:
        job = queue.enqueue("t", metadata="Größe 10%")
        other = queue.enqueue("t", metadata="größe 10_")
        queue.enqueue("t")
        assert queue.list_jobs(metadata="Größe") == [job]
        assert queue.list_jobs(metadata="10%") == [job]
        assert queue.list_jobs(metadata="röße") == [other, job]
        assert queue.count_jobs(metadata="10_") == 1

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"user": 1}, "ab"),
            ({"user": 1.0}, "ab"),
            ({"user": True}, "c"),
            ({"user": "1"}, ""),
            ({"user": 1, "tags": ["x", {"a": 1, "b": None}]}, "a"),
            ({"tags": ("x", {"b": None, "a": 1})}, "a"),
            ({"tags": ["x"]}, ""),
            ({"absent": None}, ""),
            ({"none": None}, "b"),
            ({}, "abc"),
        ],
    )
    def test_by_the_values_of_a_json_object(
        self, queue: Queue, wanted: dict[str, Any], found: str
    ) -> None:
        stored: dict[str, dict[str, object]] = {
            "a": {"user": 1, "tags": ["x", {"a": 1, "b": None}], "ü": "é"},
            "b": {"user": 1, "none": None},
            "c": {"user": True},
        }
        names = {queue.enqueue("t", metadata=facts).id: name for name, facts in stored.items()}
        for text in ("", "{", '"user"', "[1]", "null"):
            queue.enqueue("t", metadata=text)
        queue.enqueue("t")
        listed = queue.list_jobs(metadata=wanted)
        assert sorted(names[job.id] for job in listed) == list(found)
        assert queue.count_jobs(metadata=wanted) == len(found)

    def test_escaped_letters_of_json_are_those_letters(self, queue: Queue) -> None:
        job = queue.enqueue("t", metadata=json.dumps({"ü": "é"}))
        assert queue.list_jobs(metadata={"ü": "é"}) == [job]

    def test_by_a_text_in_the_current_error(self, queue: Queue, start_worker: StartWorker) -> None:
        task = queue.task(name="t", max_retries=0)
        job = task(lambda: 1 / 0).delay()
        start_worker()
        job.wait()
        assert queue.list_jobs(error="division by zero") == [job]
        assert queue.list_jobs(error="DIVISION") == []
        assert queue.count_jobs(error="Traceback", status="dead") == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"queue": 1},
            {"task_name": b"t"},
            {"metadata": 1},
            {"metadata": {1: 2}},
            {"metadata": {"x": object()}},
            {"error": 1},
            {"created_after": "now"},
            {"created_before": 1.5},
        ],
    )
    def test_a_wrong_type_is_refused(self, queue: Queue, wrong: dict[str, Any]) -> None:
        with pytest.raises(TypeError):
            queue.list_jobs(**wrong)
        with pytest.raises(TypeError):
            queue.count_jobs(**wrong)


class TestPage:
    def test_cursors_lead_to_the_end(self, queue: Queue) -> None:
        ids = [queue.enqueue("t").id for _ in range(7)][::-1]
        page = queue.list_jobs(limit=3)
        assert type(page) is JobPage
        pages = [page]
        while pages[-1].next_cursor:
            pages.append(queue.list_jobs(limit=3, cursor=pages[-1].next_cursor))
        assert [len(page) for page in pages] == [3, 3, 1]
        assert [job.id for page in pages for job in page] == ids

    def test_a_full_last_page_is_the_last(self, queue: Queue) -> None:
        queue.enqueue_many("t", [()] * 4)
        page = queue.list_jobs(limit=2)
        page = queue.list_jobs(limit=2, cursor=page.next_cursor)
        assert (len(page), page.next_cursor) == (2, None)
        assert queue.list_jobs(limit=0).next_cursor is None
        assert queue.list_jobs("failed").next_cursor is None

    def test_a_page_of_a_mapping_goes_on_like_any_other(self, queue: Queue) -> None:
        jobs = queue.enqueue_many("t", [()] * 5, metadata={"a": 1})
        queue.enqueue_many("t", [()] * 3, metadata={"a": 2})
        page = queue.list_jobs(limit=2, offset=1, metadata={"a": 1})
        assert page == [jobs[3], jobs[2]]
        page = queue.list_jobs(limit=2, metadata={"a": 1}, cursor=page.next_cursor)
        assert (page, page.next_cursor) == ([jobs[1], jobs[0]], None)

    def test_the_row_of_a_cursor_may_be_gone(self, queue: Queue) -> None:
        first, second = queue.enqueue("t"), queue.enqueue("t")
        page = queue.list_jobs(limit=1)
        second.cancel()
        until(lambda: queue.purge_jobs("cancelled", older_than=0) == 1)
        assert queue.list_jobs(limit=1, cursor=page.next_cursor) == [first]

    @pytest.mark.parametrize("cursor", ["", "x", "j" + "0" * 31, "d" + "0" * 32, "j" + "G" * 32])
    @pytest.mark.parametrize("call", ["list_jobs", "dead_letters"])
    def test_a_text_that_is_no_cursor_is_refused(
        self, queue: Queue, call: str, cursor: str
    ) -> None:
        if call == "dead_letters":
            cursor = cursor.translate(str.maketrans("jd", "dj"))
        with pytest.raises(ValueError, match=r"cursor '.*' was not returned by this call\nhint"):
            getattr(queue, call)(cursor=cursor)

    def test_a_cursor_of_another_database_is_refused(self, queue: Queue) -> None:
        with Queue(":memory:") as other:
            other.enqueue_many("t", [()] * 2)
            cursor = other.list_jobs(limit=1).next_cursor
        with pytest.raises(ValueError, match="is no place in this database"):
            queue.list_jobs(cursor=cursor)

    @pytest.mark.parametrize("call", ["list_jobs", "dead_letters"])
    def test_cursor_and_offset_exclude_each_other(self, queue: Queue, call: str) -> None:
        with pytest.raises(ValueError, match="cursor and offset exclude each other, got offset=1"):
            getattr(queue, call)(cursor="j" + "0" * 32, offset=1)

    def test_a_cursor_must_be_text(self, queue: Queue) -> None:
        with pytest.raises(TypeError, match="cursor must be a str, got 7"):
            queue.list_jobs(cursor=7)  # type: ignore[arg-type]


class TestCount:
    def test_by_status_queue_and_task(self, queue: Queue) -> None:
        queue.enqueue("t", queue="a").cancel()
        queue.enqueue("t", queue="b", delay=60)
        queue.enqueue("u", queue="b")
        assert queue.count_jobs() == 3
        assert queue.count_jobs("pending") == queue.count_jobs(queue="b") == 2
        assert queue.count_jobs("cancelled", "a", "t") == 1
        assert queue.count_jobs(task_name="t") == 2
        assert queue.count_jobs("failed") == queue.count_jobs("complete") == 0
        assert queue.count_jobs("pending", created_after=0) == 2

    def test_another_status_is_refused(self, queue: Queue) -> None:
        with pytest.raises(ValueError, match="status must be one of pending"):
            queue.count_jobs("done")
