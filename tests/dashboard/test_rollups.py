"""The document behind charts: buckets, gaps, ranges."""

import json
from typing import Any

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito.testing._manual import manual_worker
from taskito_dashboard.errors import Refused
from taskito_dashboard.rollups import RANGES, Bucket, Span, bars, document, span_of, table_of
from tests.dashboard.asking import Work, get, page, words

MINUTE = 60_000
NOW = 1_000_000 * MINUTE + 20_000
SPAN = Span(start=NOW - 20_000 - 2 * MINUTE, end=NOW - 20_000 + MINUTE, step=MINUTE)
COLUMNS = ("done", "failed", "retried", "wait_p50", "wait_p95", "run_p50", "run_p95")


class TestDocument:
    def test_it_has_a_list_per_column_in_order_of_time(self) -> None:
        facts: dict[str, Any] = {"wait_p50": 1.5, "wait_p95": 9.0, "run_p50": 2.0, "run_p95": 3.5}
        late = Bucket(at=SPAN.start + MINUTE, done=7, failed=2, retried=1, **facts)
        made = document([late, Bucket(at=SPAN.start, done=3, failed=0)], SPAN, NOW)

        assert made == {
            "from": SPAN.start,
            "to": SPAN.end,
            "step": MINUTE,
            "open": 2,
            "at": [SPAN.start, SPAN.start + MINUTE, SPAN.start + 2 * MINUTE],
            "done": [3, 7, None],
            "failed": [0, 2, None],
            "retried": [None, 1, None],
            "wait_p50": [None, 1.5, None],
            "wait_p95": [None, 9.0, None],
            "run_p50": [None, 2.0, None],
            "run_p95": [None, 3.5, None],
        }
        assert json.loads(json.dumps(made)) == made

    def test_what_is_over_has_no_open_bucket(self) -> None:
        assert document([], SPAN, SPAN.end)["open"] is None


class TestSpan:
    @pytest.mark.parametrize("name", RANGES)
    def test_a_range_ends_with_the_bucket_of_now(self, name: str) -> None:
        span = span_of(name, NOW)

        assert span.start % span.step == span.end % span.step == 0
        assert span.end - span.step <= NOW < span.end
        assert span.start <= NOW - RANGES[name] < span.start + span.step
        assert 60 <= len(span.starts) <= 121

    @pytest.mark.parametrize("name", RANGES)
    def test_a_table_has_the_same_time_in_few_rows(self, name: str) -> None:
        few, fine = table_of(name, NOW), span_of(name, NOW)

        assert 7 <= len(few.starts) <= 13
        assert few.start <= fine.start
        assert few.end >= fine.end
        assert few.start % few.step == 0

    @pytest.mark.parametrize(
        ("ago", "step"),
        [(115, MINUTE // 6), (125, MINUTE), (47 * 60, MINUTE), (49 * 60, 60 * MINUTE)],
    )
    def test_buckets_are_no_finer_than_what_is_known(self, ago: int, step: int) -> None:
        """A span of three minutes, long ago."""
        begin = NOW - ago * MINUTE
        assert span_of(f"{begin}-{begin + 3 * MINUTE}", NOW).step == step

    def test_a_span_of_years_ends_with_what_can_be_shown(self) -> None:
        span = span_of(f"1-{NOW}", NOW)

        assert len(span.starts) <= 121
        assert span.end > NOW - span.step

    def test_two_instants_are_a_range(self) -> None:
        span = span_of(f"{NOW - 10 * MINUTE}-{NOW - 5 * MINUTE}", NOW)

        assert span.step == MINUTE // 6
        assert span.start <= NOW - 10 * MINUTE
        assert NOW - 5 * MINUTE <= span.end <= NOW

    @pytest.mark.parametrize("text", ["", "2h", "5-5", "9-1", "-5", "1-2-3", "9" * 40])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(Refused, match="t is") as caught:
            span_of(text, NOW)
        assert caught.value.hint is not None
        assert "15m, 1h" in caught.value.hint


class TestBars:
    def test_gaps_and_zeros_have_none_and_the_highest_is_full(self) -> None:
        assert bars([None, 5, 0, 10], 20) == [(1, 10, 10), (3, 0, 20)]

    def test_nothing_draws_nothing(self) -> None:
        assert bars([]) == bars([0, None]) == []


class TestAnswer:
    def test_it_counts_what_ended(self, client: Client, queue: Queue, work: Work) -> None:
        queue.enqueue_many("add", [(1, n) for n in range(3)])
        queue.enqueue("fail", ("fault",))
        work()
        told = get(client, "/api/rollups?t=15m")

        assert told.keys() == {"from", "to", "step", "open", "at", "marks", *COLUMNS}
        assert sum(told["done"]) == 3
        assert sum(told["failed"]) == 1
        assert told["open"] == len(told["at"]) - 1
        assert all(len(told[name]) == len(told["at"]) for name in COLUMNS)

    def test_it_has_the_marks_of_its_time(self, client: Client, queue: Queue) -> None:
        queue.mark("v1.4", who="ana")
        queue.mark("v1.5")
        told = get(client, "/api/rollups?t=15m")
        assert [(mark["text"], mark["who"]) for mark in told["marks"]] == [
            ("v1.4", "ana"),
            ("v1.5", "program"),
        ]
        assert all(told["from"] <= mark["at"] < told["to"] for mark in told["marks"])
        earlier = get(client, f"/api/rollups?t={told['from'] - 60_000}-{told['from']}")
        assert earlier["marks"] == []

    def test_a_task_has_its_own_numbers(self, client: Client, queue: Queue, work: Work) -> None:
        queue.enqueue("add", (1, 2))
        queue.enqueue("fail", ("fault",))
        work()

        assert sum(get(client, "/api/rollups?task=add")["failed"]) == 0
        assert sum(get(client, "/api/v1/rollups?task=fail")["failed"]) == 1

    def test_a_queue_has_its_own_numbers(self, client: Client, queue: Queue, work: Work) -> None:
        queue.enqueue("add", (1, 2), queue="emails")
        queue.enqueue("fail", ("fault",))
        work()

        emails = get(client, "/api/rollups?queue=emails")
        assert (sum(emails["done"]), sum(emails["failed"])) == (1, 0)
        assert sum(get(client, "/api/rollups?queue=emails&task=fail")["failed"]) == 0

    def test_it_tells_how_long_jobs_waited_and_ran(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        queue.enqueue("fail", ("fault",), max_retries=1, delay=0)
        work()
        told = get(client, "/api/rollups?t=15m")

        (place,) = [at for at, failed in enumerate(told["failed"]) if failed]
        assert told["retried"][place] == 1
        assert all(told[name][place] >= 0 for name in COLUMNS)
        assert told["run_p50"][place - 1] is None
        assert told["done"][place - 1] == 0

    def test_a_span_that_is_over_has_only_what_ended_in_it(
        self, client: Client, queue: Queue
    ) -> None:
        with manual_worker(queue) as worker:
            for _ in range(3):
                queue.enqueue("add", (1, 2))
                worker.run()
                worker.advance(600)
            queue.enqueue("add", (1, 2))
            worker.run()
            begin = worker.now - 1_260_000
            told = get(client, f"/api/rollups?t={begin}-{begin + 120_000}")

        assert sum(told["done"]) == 1
        assert told["open"] is None
        assert told["from"] <= begin < begin + 120_000 <= told["to"]

    def test_what_is_forgotten_is_a_gap(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        told = get(client, "/api/rollups?t=1000-100000000")

        assert set(told["done"]) == {None}

    def test_a_wrong_range_is_told_with_the_right_ones(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        assert get(client, "/api/rollups?t=2h", 400)["error"] == "t is '2h'"
        page(client, "/?t=1-x", 400)


class TestOverview:
    def test_a_table_says_what_the_chart_shows(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        queue.enqueue_many("add", [(1, n) for n in range(3)])
        work()
        html = page(client, "/?t=15m")

        table = words(html[html.index("<table") : html.index("</table>")])
        assert table.startswith("From Done Failed")
        assert " 3 0 " in f"{table} "

    def test_wait_and_run_times_appear_once_anything_ran(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        queue.enqueue("add", (1, 2))
        assert 'id="times"' not in page(client, "/?t=15m")
        work()
        html = page(client, "/?t=24h")

        table = words(html[html.index('id="times"') :])
        assert "From Wait p50 Wait p95 Run p50 Run p95" in table


class TestPagesOfOne:
    def test_a_queue_and_a_task_have_charts_of_their_own(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        queue.enqueue("add", (1, 2), queue="emails")
        queue.enqueue("fail", ("fault",))
        work()

        for path, source, counts in (
            ("/queues/emails", "?t=15m&amp;queue=emails", "1 0"),
            ("/tasks/fail", "?t=15m&amp;task=fail", "0 1"),
        ):
            html = page(client, f"{path}?t=15m")
            assert f'data-chart="/api/rollups{source}"' in html
            assert f'href="{path}?t=7d"' in html
            assert f" {counts} " in words(html[html.index('id="throughput"') :])
            page(client, f"{path}?t=x", 400)
