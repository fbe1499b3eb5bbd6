"""Following cursors while everything else goes on."""

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskito import JobResult, Queue

# What happens between two pages: by which of two handles, and what.
deeds = st.tuples(st.booleans(), st.sampled_from(["insert", "cancel", "tag", "rest"]))
filters = st.sampled_from(
    [
        {},
        {"task_name": "t"},
        {"queue": "a"},
        {"metadata": "x"},
        {"metadata": {"x": 1}},
        {"created_after": 0},
    ]
)


def insert(queue: Queue, number: int) -> JobResult[None]:
    return queue.enqueue("tu"[number % 2], queue="ab"[number // 2 % 2], metadata='{"x": 1}')


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 12),
    limit=st.integers(1, 4),
    which=filters,
    between=st.lists(st.lists(deeds, max_size=4), max_size=8),
)
def test_each_job_of_the_first_page_time_comes_once_and_no_newer_one(
    tmp_path_factory: pytest.TempPathFactory,
    count: int,
    limit: int,
    which: dict[str, object],
    between: list[list[tuple[bool, str]]],
) -> None:
    path = tmp_path_factory.mktemp("cursors") / "jobs.db"
    with Queue(path, durability="normal") as one, Queue(path, durability="normal") as other:
        handles = {False: one, True: other}
        for number in range(count):
            insert(handles[bool(number % 3)], number)
        there = [job.id for job in one.list_jobs(limit=100, **which)]  # type: ignore[arg-type]
        acts = iter(between)
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = one.list_jobs(limit=limit, cursor=cursor, **which)  # type: ignore[arg-type]
            seen += [job.id for job in page]
            cursor = page.next_cursor
            if cursor is None:
                break
            for number, (handle, deed) in enumerate(next(acts, [])):
                queue = handles[handle]
                if deed == "insert":
                    insert(queue, number)
                elif deed == "cancel":
                    queue.cancel_job(seen[number % len(seen)])
                    queue.cancel_job(there[-1 - number % len(there)])
                elif deed == "tag":
                    queue.update_progress(there[number % len(there)], number)
        assert seen == there


def test_pages_are_whole_while_several_producers_insert(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with Queue(path, durability="normal") as queue:
        queue.enqueue_many("t", [()] * 300)
        done = threading.Event()

        def produce() -> None:
            with Queue(path, durability="normal") as own:
                while not done.is_set():
                    own.enqueue("t")

        producers = [threading.Thread(target=produce) for _ in range(2)]
        for producer in producers:
            producer.start()
        try:
            for _ in range(20):
                assert_whole(queue)
        finally:
            done.set()
            for producer in producers:
                producer.join()


def assert_whole(queue: Queue) -> None:
    """Follow pages of one job, among the newest, where producers are at work."""
    page = queue.list_jobs(limit=1)
    seen = [job.id for job in page]
    there = [job.id for job in queue.list_jobs(limit=1000) if job.id <= seen[0]][:40]
    while len(seen) < len(there):
        page = queue.list_jobs(limit=1, cursor=page.next_cursor)
        seen += [job.id for job in page]
    assert seen == there
