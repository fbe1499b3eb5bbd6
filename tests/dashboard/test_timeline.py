"""The attempts of a job as stretches of time: what is known of each, and what the page says."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito.testing._manual import manual_worker
from taskito_dashboard.timeline import timeline
from tests.dashboard.asking import UNKNOWN, get, page, words

KEYS = ("held", "wait", "start", "run")


def job(**facts: Any) -> Any:
    """A job as the engine tells it."""
    plain = {"created_at": 0, "scheduled_at": 0, "started_at": None, "status": "complete"}
    return SimpleNamespace(**{**plain, **facts})


def attempt(claimed: int, started: int | None, ended: int | None, outcome: str) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "claimed_at": claimed,
        "started_at": started,
        "finished_at": ended,
    }


def lengths(span: dict[str, Any]) -> tuple[int | None, ...]:
    assert tuple(span["lengths"]) == KEYS
    return tuple(span["lengths"].values())


class TestParts:
    def test_one_attempt_has_delay_wait_start_and_run(self) -> None:
        row = job(scheduled_at=100, started_at=300)
        (only,) = timeline(row, [attempt(300, 310, 1000, "completed")], 5000)

        assert (only["label"], only["outcome"], only["at"]) == ("Attempt 1", "complete", 300)
        assert lengths(only) == (100, 200, 10, 690)
        assert only["bars"] == [
            ("held", 0, 10),
            ("wait", 10, 20),
            ("start", 30, 1),
            ("run", 31, 69),
        ]

    def test_a_later_attempt_waits_for_its_backoff_from_the_end_of_the_last(self) -> None:
        row = job(scheduled_at=600, started_at=700)
        first, second = timeline(
            row, [attempt(100, 100, 300, "failed"), attempt(700, 700, 1000, "completed")], 5000
        )

        assert lengths(first) == (None, 100, 0, 200)
        assert lengths(second) == (300, 100, 0, 300)
        assert second["bars"][0] == ("held", 30, 30)

    def test_the_wait_of_an_attempt_that_was_repeated_is_in_its_backoff(self) -> None:
        """When it was due is stored for the newest attempt only."""
        row = job(scheduled_at=900, started_at=900, status="dead")
        ends = [(100, 200), (500, 600), (900, 1000)]
        spans = timeline(row, [attempt(at, at, end, "failed") for at, end in ends], 5000)

        assert [lengths(span)[:2] for span in spans] == [(None, 100), (300, None), (300, 0)]

    def test_a_job_that_waits_for_its_retry_has_the_next_attempt(self) -> None:
        row = job(scheduled_at=900, started_at=50, status="pending")
        first, waits = timeline(row, [attempt(50, 50, 100, "failed")], 500)
        assert lengths(first) == (None, 50, 0, 50)
        assert (waits["outcome"], waits["at"], lengths(waits)) == (
            "pending",
            None,
            (400, 0, None, None),
        )
        _, waits = timeline(row, [attempt(0, 0, 100, "failed")], 1000)
        assert lengths(waits) == (800, 100, None, None)

    def test_what_runs_is_told_from_what_is_claimed(self) -> None:
        row = job(started_at=100, status="running")
        claimed = [attempt(100, None, None, "running")]

        assert lengths(timeline(row, claimed, 500)[0]) == (None, 100, 400, None)
        assert lengths(timeline(row, claimed, 500, begun_at=150)[0]) == (None, 100, 50, 350)

    def test_what_was_lost_ran_from_its_claim_as_far_as_is_known(self) -> None:
        row = job(started_at=100, status="dead")
        assert lengths(timeline(row, [attempt(100, None, 400, "lost")], 500)[0]) == (
            *(None, 100),
            *(None, 300),
        )

    def test_nothing_of_a_job_that_never_started(self) -> None:
        assert timeline(job(status="pending"), [], 100) == []

    @pytest.mark.parametrize("now", [100, 5000])
    def test_clocks_that_went_back_leave_all_in_its_place(self, now: int) -> None:
        row = job(created_at=500, scheduled_at=500, started_at=0, status="running")
        (only,) = timeline(row, [attempt(0, None, None, "running")], now, begun_at=-50)

        assert all(ms is None or ms >= 0 for ms in lengths(only))
        assert lengths(only)[3] == now
        for _, place, width in only["bars"]:
            assert 0 <= place <= 100
            assert 0 < width <= 100 - place


class TestPage:
    def test_each_attempt_is_drawn_and_stands_in_a_table(
        self, client: Client, queue: Queue
    ) -> None:
        job = queue.enqueue("fail", ("fault",), max_retries=1)
        with manual_worker(queue) as worker:
            worker.run()
            waiting = page(client, f"/jobs/{job.id}")
            assert "Attempt 2" in waiting
            assert "Timeline 1 attempt Attempt 1" in words(waiting)
            assert re.search(r'aria-label="Attempt 2: held back [^"]*wait 0', waiting)
            worker.advance(3600)
            worker.run()
        html = page(client, f"/jobs/{job.id}")

        assert html.count('<rect class="failed"') == 2
        table = words(html[html.index('aria-label="Timeline as a table"') :])
        assert "Attempt Outcome Claimed Held back Wait Start Run 1 ! Failed 2" in table
        assert "2 attempts" in words(html)

    def test_the_document_has_all_attempts(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add", (1, 2))
        with manual_worker(queue) as worker:
            worker.run()
        (only,) = get(client, f"/api/jobs/{job.id}/attempts")

        assert only.keys() == {
            *("attempt", "outcome", "claimed_at", "started_at", "finished_at", "error")
        }
        assert (only["attempt"], only["outcome"], only["error"]) == (0, "completed", None)
        assert get(client, f"/api/jobs/{UNKNOWN}/attempts") == []
