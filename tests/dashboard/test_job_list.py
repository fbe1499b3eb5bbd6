"""The list of jobs while somebody looks at it: new jobs, short ids, times."""

import re
import sqlite3
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard.words import clock, short
from tests.dashboard.asking import Work, page, words

NOW = 1_764_000_000_000


def polled(html: str) -> str:
    """Return the address that a page asks for by itself."""
    (address,) = re.findall(r'<main [^>]*hx-get="([^"]*)"', html)
    return unescape(address)


def listed(html: str) -> list[str]:
    return re.findall(r'<tr id="job-([^"]*)">', html)


class TestNewJobs:
    def test_they_do_not_push_what_is_read_and_are_counted(
        self, client: Client, queue: Queue
    ) -> None:
        queue.enqueue_many("add", [(n, n) for n in range(60)])
        first = page(client, "/jobs?filter=task:add")
        queue.enqueue_many("add", [(n, n) for n in range(3)])
        queue.enqueue("other")
        again = page(client, polled(first))

        assert listed(again) == listed(first)
        assert "3 newer jobs · show" in words(again)
        assert "Select all 63 that match" in words(again)
        assert polled(again) == polled(first)
        (older,) = re.findall(r'rel="next" href="([^"]*)"', again)
        assert len(listed(page(client, unescape(older)))) == 10
        (show,) = re.findall(r'<a href="([^"]*)">show</a>', again)
        shown = page(client, unescape(show))
        assert len(set(listed(shown)) - set(listed(first))) == 3
        assert "newer job" not in words(shown)

    def test_states_change_in_place(self, client: Client, queue: Queue, work: Work) -> None:
        job = queue.enqueue("add", (1, 2))
        first = page(client, "/jobs")
        work()
        queue.enqueue("add")
        again = page(client, polled(first))

        assert listed(again) == [job.id]
        assert "1 newer job · show" in words(again)
        assert "Select all 2 that match" in words(again)
        assert "Completed add(1, 2)" in words(again)

    def test_a_list_that_was_empty_begins_with_the_first(
        self, client: Client, queue: Queue
    ) -> None:
        first = page(client, "/jobs")
        job = queue.enqueue("add")

        assert listed(page(client, polled(first))) == [job.id]

    def test_the_page_of_somebody_who_comes_later_begins_with_the_newest(
        self, client: Client, queue: Queue
    ) -> None:
        old, _ = queue.enqueue("add"), page(client, "/jobs")
        new = queue.enqueue("add")

        assert listed(page(client, "/jobs")) == [new.id, old.id]

    def test_they_are_counted_up_to_a_thousand(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add")
        first = page(client, "/jobs")
        queue.enqueue_many("add", [(n, n) for n in range(1001)])

        assert "1,000+ newer jobs · show" in words(page(client, polled(first)))

    def test_where_very_many_came_not_all_are_looked_at(
        self, client: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("taskito.bulk._MOST_NEWER", 100)
        job = queue.enqueue("rare")
        first = page(client, "/jobs?filter=task:rare")
        queue.enqueue("rare")
        queue.enqueue_many("add", [(n, n) for n in range(1000)])
        again = page(client, polled(first))

        assert listed(again) == [job.id]
        assert "Many newer jobs; some may match · show" in words(again)

    def test_a_place_that_is_none_is_refused(self, client: Client) -> None:
        assert client.get("/jobs?top=nowhere").status_code == 400


class TestShortIds:
    def test_those_of_one_call_differ(self, queue: Queue) -> None:
        jobs = queue.enqueue_many("add", [(n, n) for n in range(2000)])

        assert len({short(job.id) for job in jobs}) == 2000

    def test_the_page_shows_what_the_filter_finds(self, client: Client, queue: Queue) -> None:
        jobs = queue.enqueue_many("add", [(n, n) for n in range(40)])
        text = short(jobs[7].id)

        assert f'title="{jobs[7].id}">{text}</td>' in page(client, "/jobs")
        assert listed(page(client, f"/jobs?filter=id:{text}")) == [jobs[7].id]
        assert client.get(f"/find?q={text}").location == f"/jobs?filter=id%3A{text}"


class TestTabs:
    def test_those_who_wait_are_told_apart(self, client: Client, queue: Queue, work: Work) -> None:
        queue.enqueue("fail", ("x",), max_retries=1)
        work()
        queue.enqueue_many("add", [(n, n) for n in range(2)], delay=3600)
        queue.enqueue("add")
        text = words(page(client, "/jobs"))

        assert "All 4 Ready 1 Scheduled 2 Retrying 1 Running 0" in text
        queue.enqueue("add", depends_on=queue.enqueue("add").id)
        for tab, number in (("Ready", 2), ("Scheduled", 2), ("Retrying", 1), ("Blocked", 1)):
            html = page(client, f"/jobs?filter=state:{tab.lower()}")
            assert len(listed(html)) == number
            assert html.count(f"</span> {tab}</span>") == number
        assert "Ready Scheduled Retrying Running 0" in words(page(client, "/jobs?task=add"))


class TestColumns:
    def test_they_are_hidden_and_shown_on_wish(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add", queue="emails")
        html = page(client, "/jobs?filter=task:add")
        assert "Call Id Queue Tries Wait Run Enqueued Error" in words(html)
        for name in ("queue", "error"):
            (hide,) = re.findall(rf'<a href="([^"]*)">Hide {name}</a>', html)
            answer = client.get(unescape(hide))
            assert answer.location == "/jobs?filter=task:add"
            html = page(client, answer.location)

        assert "Call Id Tries Wait Run Enqueued ○ Ready" in words(html)
        assert listed(html) == [job.id]
        (show,) = re.findall(r'<a href="([^"]*)">Show queue</a>', html)
        client.get(unescape(show))
        assert "Call Id Queue Tries Wait Run Enqueued ○ Ready" in words(page(client, "/jobs"))
        assert client.get("/columns?hide=call").status_code == 400

    def test_a_cookie_with_anything_in_it_hides_nothing(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add")
        client.set_cookie("taskito_dashboard_hidden", "state.<b>.call")
        assert "State Call Id Queue" in words(page(client, "/jobs"))


class TestRunning:
    def test_what_runs_ran_until_now(self, client: Client, queue: Queue, tmp_path: Path) -> None:
        queue.enqueue("add")
        with queue._stepping():
            with closing(sqlite3.connect(tmp_path / "jobs.db")) as database, database:
                database.execute(
                    "UPDATE job SET state = 'running', fence = 1, claimed_at = created_at - 90000,"
                    " run_at = created_at - 90000, owner = (SELECT id FROM worker)"
                )
            text = words(page(client, "/jobs")).replace("\u202f", " ")

        assert re.search(r"default 1/4 0 ms 1 min 3\d s ", text)


class TestTimes:
    def test_they_are_told_by_the_clock_on_wish(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add")
        assert re.search(r">\d+.s ago</time>|>now</time>", page(client, "/jobs"))
        etag = client.get("/jobs").headers["ETag"]
        answer = client.get("/times?set=absolute&back=/jobs")
        assert answer.location == "/jobs"
        html = page(client, "/jobs")

        assert re.search(r">\d\d:\d\d:\d\d UTC</time>", html)
        assert client.get("/jobs").headers["ETag"] != etag
        client.get("/zone?set=Asia/Tokyo")
        assert re.search(r">\d\d:\d\d:\d\d JST</time>", page(client, "/jobs"))
        client.get("/times?set=relative")
        assert "ago</time>" in page(client, "/jobs") or ">now</time>" in page(client, "/jobs")

    @pytest.mark.parametrize("name", ["yesterday", "Absolute", "1"])
    def test_another_way_is_refused(self, client: Client, name: str) -> None:
        assert client.get(f"/times?set={name}").status_code == 400
        assert client.get("/times?set=absolute&back=//evil.example").location == "/"

    @pytest.mark.parametrize(
        ("at", "told"),
        [
            (NOW, "16:00:00 UTC"),
            (NOW - 86_400_000, "2025-11-23 16:00 UTC"),
            (None, "\N{EN DASH}"),
            (10**18, "1000000000000000000 ms"),
        ],
    )
    def test_today_needs_no_date(self, at: int | None, told: str) -> None:
        assert clock(at, NOW) == told
