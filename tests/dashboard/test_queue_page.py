"""The page of a queue: who is next, and when nothing waits any more."""

import re
import sqlite3
from contextlib import closing

from werkzeug.test import Client

from taskito import Queue
from tests.dashboard.asking import Work, page, words


def section(html: str, name: str) -> str:
    """A section of a page."""
    found = re.search(f'<section[^>]*id="{name}".*?</section>', html, re.DOTALL)
    assert found is not None
    return found[0]


def coming(client: Client, queue: str) -> list[str]:
    """The ids of the jobs that a page says are next."""
    return re.findall(r'<tr id="job-([^"]+)"', section(page(client, f"/queues/{queue}"), "coming"))


class TestNextJobs:
    def test_they_are_in_the_order_in_which_a_worker_takes_them(
        self, client: Client, queue: Queue
    ) -> None:
        ran: list[str] = []

        @queue.task(name="note")
        def note(name: str) -> None:
            ran.append(name)

        names = {}
        for number, priority in enumerate([0, 5, 0, -1, 9, 5, 0, 0, 0, 0, 0, 0]):
            name = f"job {number}"
            key = f"k{number % 2}" if number % 3 == 0 else None
            job = note.apply_async((name,), priority=priority, limit_key=key, queue="mail")
            names[job.id] = name
        note.delay("elsewhere")
        note.apply_async(("later",), delay=3600, queue="mail")

        told = coming(client, "mail")
        with queue._stepping() as worker:
            while worker.run_next():
                pass

        ran.remove("elsewhere")
        assert [names[job] for job in told] == ran[:10]
        assert len(ran) == 12

    def test_nothing_may_be_due(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", (1, 2), delay=3600)
        assert "No job is due." in section(page(client, "/queues/default"), "coming")


class TestDrains:
    def test_it_is_told_of_this_queue_alone(self, client: Client, queue: Queue, work: Work) -> None:
        queue.enqueue_many("add", [(1, 2)] * 30, queue="mail")
        work()
        with closing(sqlite3.connect(queue.db_path)) as database, database:
            # Ids and times of the jobs that are done lie an hour back.
            database.execute(
                "UPDATE job SET id = id - (3600000 << 22), created_at = created_at - 3600000"
            )
        queue.enqueue_many("add", [(1, 2)] * 5, queue="mail")
        queue.enqueue_many("add", [(1, 2)] * 40, queue="other")

        assert "drains in 1 min" in words(section(page(client, "/queues/mail"), "coming"))
        assert "nothing done in 5 min" not in page(client, "/queues/mail")
        assert "never drains at this rate" in section(page(client, "/queues/other"), "coming")
