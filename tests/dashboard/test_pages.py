"""Pages without any script: what they show, and what their forms do."""

import re
from html import unescape

import pytest
from werkzeug.test import Client

from taskito import Queue, current_job
from taskito_dashboard import create_app, source
from taskito_dashboard.pages import job as job_page
from taskito_dashboard.routes import TABLE
from tests.dashboard.asking import UNKNOWN, Work, page, words


class TestOverview:
    def test_an_empty_database_shows_the_first_steps(self, client: Client, queue: Queue) -> None:
        text = page(client, "/")

        assert "First steps" in text
        assert "taskito worker --app" in text
        queue.enqueue("add", (1, 2))
        assert "First steps" not in page(client, "/")

    def test_it_says_what_is_wrong_where_and_what_to_do(self, client: Client, queue: Queue) -> None:
        queue.enqueue_many("add", [(n, n) for n in range(3)])
        text = words(page(client, "/"))

        assert "No worker runs — 3 jobs wait, oldest" in text
        assert "taskito worker --app MODULE:QUEUE" in text

    def test_with_a_worker_and_nothing_to_do_all_is_quiet(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        queue.enqueue("add", (1, 2))
        work()
        assert "Nothing waits, and no worker runs; no dead letters." in words(page(client, "/"))
        with queue._stepping():
            assert "All quiet. 1 slot, 0 waiting, no dead letters." in words(page(client, "/"))

    @pytest.mark.usefixtures("dead")
    def test_it_counts(self, client: Client, queue: Queue, work: Work) -> None:
        queue.enqueue("add", (1, 2))
        work()
        text = words(page(client, "/"))

        assert "Done / min 1" in text
        assert "Failed / min 3 75.0 %" in text
        assert "Retrying 0 none waits Dead 3 1 group · +3 today" in text
        assert "RuntimeError: fault {N}" in text

    def test_it_tells_of_a_task_that_fails_more_than_before(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        for _ in range(5):
            queue.enqueue("fail", ("x",))
        work()

        assert "Task fail fails 100.0 % — of the attempts" in words(page(client, "/"))


class TestJobs:
    def test_tabs_count_and_filters_stay(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        queue.enqueue("add", queue="emails")
        text = page(client, "/jobs?filter=state:dead+task:fail")

        said = "All 3 Ready Scheduled Retrying Running 0 Completed 0 Dead 3 Cancelled 0"
        assert said in words(text)
        assert 'href="/jobs?filter=task%3Afail+state%3Arunning"' in text
        assert 'value="state:dead task:fail"' in page(client, "/jobs?status=dead&task=fail")
        assert all(f'href="/jobs/{job_id}"' in text for job_id in dead)
        assert words(page(client, "/jobs?queue=none")).count("No such jobs.") == 1
        assert "3 rows" in words(page(client, "/jobs?filter=error:fault+age%3C1h"))

    def test_older_leads_on_and_newest_back(self, client: Client, queue: Queue) -> None:
        queue.enqueue_many("add", [(n, n) for n in range(51)])
        first = page(client, "/jobs?task=add")
        (older,) = re.findall(r'rel="next" href="([^"]*)"', first)
        second = page(client, unescape(older))

        assert "50 rows" in words(first)
        assert "1 row " in words(second)
        assert "← Newest" in second
        assert "filter=task%3Aadd" in older

    def test_a_wrong_filter_is_explained(self, client: Client) -> None:
        assert "status is 'lost'" in words(page(client, "/jobs?status=lost", 400))
        html = page(client, "/jobs?filter=task:a+state:dea", 400)
        assert "unknown state 'dea' at position 14 of the filter." in words(html)
        assert "did you mean 'dead'?" in words(html)
        assert 'value="task:a state:dea"' in html

    @pytest.mark.parametrize(
        ("typed", "address"),
        [
            ("add", "/jobs?filter=task%3Aadd"),
            ("emails", "/jobs?filter=queue%3Aemails"),
            ("boom", "/jobs?filter=boom"),
            ("state:dead", "/jobs?filter=state%3Adead"),
        ],
    )
    def test_the_search_field_finds(
        self, client: Client, queue: Queue, typed: str, address: str
    ) -> None:
        job = queue.enqueue("add", queue="emails")

        assert client.get(f"/find?q={typed}").headers["Location"] == address
        assert client.get(f"/find?q={job.id}").headers["Location"] == f"/jobs/{job.id}"

    def test_ticked_jobs_are_cancelled_or_repeated(self, client: Client, queue: Queue) -> None:
        jobs = queue.enqueue_many("add", [(n, n) for n in range(3)], delay=3600)
        ids = [job.id for job in jobs[:2]]

        back = "/jobs?status=pending&did=paused&n=9"
        answer = client.post("/jobs", data={"deed": "cancel", "ids": ids, "back": back})
        assert answer.headers["Location"].startswith("/jobs?status=pending&did=cancelled&n=2&op=")
        assert "2 jobs cancelled." in words(page(client, answer.headers["Location"]))
        assert [job.status for job in jobs] == ["cancelled", "cancelled", "pending"]

        client.post("/jobs", data={"deed": "retry", "ids": ids})
        assert queue.count_jobs("pending") == 3
        assert client.post("/jobs", data={"deed": "retry"}).status_code == 400

    def test_an_action_that_is_none_is_refused(self, client: Client) -> None:
        for path in ("/jobs", "/failures"):
            assert client.post(path, data={"deed": "explode"}).status_code == 400


class TestJob:
    def test_a_dead_one_leads_with_its_error(self, client: Client, queue: Queue) -> None:
        @queue.task(name="flaky", max_retries=1, retry_backoff=0)
        def flaky() -> None:
            current_job.log("trying", extra={"n": current_job.attempt})
            raise RuntimeError("boom")

        job = flaky.delay()
        with queue._stepping() as worker:
            while job.status == "pending":
                worker.run_next()
        text = words(page(client, f"/jobs/{job.id}"))

        assert "Dead Retry Replay" in text
        assert "2 attempts" in text
        assert "Error · attempt 2" in text
        assert "Traceback (most recent call last)" in text
        assert 'trying {"n":1}' in text
        assert "flaky()" in text

    def test_a_waiting_one_says_why(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add", (1, 2), delay=3600, metadata={"order": 7})
        text = words(page(client, f"/jobs/{job.id}"))

        assert "Why it does not run" in text
        assert "no worker runs" in text
        assert '{"order":7}' in text

    def test_one_that_is_due_says_how_many_are_before_it(
        self, client: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jobs = queue.enqueue_many("add", [(n, n) for n in range(3)])
        texts = [words(page(client, f"/jobs/{job.id}")) for job in jobs]

        assert "before it in its line" not in texts[0]
        assert "1 job is before it in its line." in texts[1]
        assert "2 jobs are before it in its line." in texts[2]
        for module in (source, job_page):
            monkeypatch.setattr(module, "MOST_BEFORE", 1)
        queue.enqueue("add")
        text = words(page(client, f"/jobs/{jobs[2].id}"))
        assert "1+ jobs are before it" in text

    def test_a_complete_one_has_its_result(self, client: Client, queue: Queue, work: Work) -> None:
        first = queue.enqueue("add", (1, 2))
        job = queue.enqueue("add", (20, 22), depends_on=first.id)
        work()
        text = page(client, f"/jobs/{job.id}")

        assert re.search(r"Result ran [\d.]+\Wms; its task .* in 24\Wh 42 Timeline", words(text))
        assert "add(20, 22)" in words(text)
        assert f'href="/jobs/{first.id}"' in text
        assert f'href="/jobs/{job.id}"' in page(client, f"/jobs/{first.id}")

    def test_its_buttons(self, client: Client, queue: Queue, dead: list[str]) -> None:
        waiting = queue.enqueue("add", delay=3600)
        client.post(f"/jobs/{waiting.id}/cancel")
        assert waiting.status == "cancelled"
        assert client.post(f"/jobs/{waiting.id}/cancel").status_code == 409

        replay = client.post(f"/jobs/{waiting.id}/replay").headers["Location"]
        assert f'href="/jobs/{waiting.id}"' in page(client, replay)

        retry = client.post(f"/jobs/{dead[0]}/retry").headers["Location"]
        assert "1 job retried." in words(page(client, retry))
        assert client.post(f"/jobs/{dead[0]}/retry").status_code == 409

    def test_an_unknown_one(self, client: Client) -> None:
        assert f"job not found: {UNKNOWN}" in page(client, f"/jobs/{UNKNOWN}", 404)
        for deed in ("cancel", "replay", "retry"):
            assert client.post(f"/jobs/{UNKNOWN}/{deed}").status_code == 404


class TestFailures:
    @pytest.mark.usefixtures("dead")
    def test_letters_are_retried_and_removed(self, client: Client, queue: Queue) -> None:
        text = words(page(client, "/failures"))
        assert "Failures 3 3 dead letters" not in text
        assert "3 dead letters" in text
        assert "RuntimeError: fault 1" in text
        ids = [letter["id"] for letter in queue.dead_letters()]

        client.post("/failures", data={"deed": "retry", "ids": ids[:1]})
        client.post("/failures", data={"deed": "delete", "ids": ids[1:2]})
        assert [letter["id"] for letter in queue.dead_letters()] == ids[2:]
        assert queue.count_jobs("pending") == 1

    @pytest.mark.usefixtures("dead")
    def test_to_remove_all_needs_a_second_yes(self, client: Client, queue: Queue) -> None:
        for deed in ("explode", "purge"):
            assert client.post("/failures", data={"deed": deed}).status_code == 400
        client.post("/failures", data={"deed": "purge", "sure": "yes", "older_than": "3600"})
        client.post("/failures", data={"deed": "purge", "sure": "yes", "task": "other"})
        assert len(queue.dead_letters()) == 3
        client.post("/failures", data={"deed": "purge", "sure": "yes", "task": "fail"})
        assert queue.dead_letters() == []

    def test_all_that_match_are_retried_as_an_operation(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        gone = queue.dead_letters()[0]
        queue.delete_dead(gone["id"])
        html = page(client, "/failures?task=fail&queue=default")
        (link,) = re.findall(r'href="([^"]*)">Retry all that match', html)
        html = page(client, unescape(link))
        assert "Retry 2 jobs" in words(html)
        assert 'name="rate" inputmode="numeric" size="6" value="20"' in html
        # A job without its dead letter is dead for good, and not meant.
        assert gone["original_job_id"] not in html
        assert sum(job in html for job in dead) == 2


class TestOtherPages:
    def test_tasks(self, client: Client, queue: Queue, dead: list[str], work: Work) -> None:
        queue.enqueue("add", (1, 2))
        work()
        queue.enqueue("nobody_knows")
        text = words(page(client, "/tasks"))
        one = words(page(client, "/tasks/fail"))

        assert "nobody_knows" in text
        assert "fail default 0 100.0 %" in text
        assert f"Dead {len(dead)}" in one
        assert "Retries 0" in one

    def test_queues(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", queue="emails")
        client.post("/queues/emails/limits", data={"rate_limit": "5/s", "max_concurrent": "3"})
        client.post("/queues/emails/pause")

        assert "emails paused 1" in words(page(client, "/queues"))
        (row,) = queue.list_queues()
        assert (row["rate_limit"], row["max_concurrent"], row["paused"]) == ("5/s", 3, True)
        client.post("/queues/emails/limits", data={"rate_limit": "", "max_concurrent": ""})
        client.post("/queues/emails/resume")
        (row,) = queue.list_queues()
        assert (row["rate_limit"], row["max_concurrent"], row["paused"]) == (None, None, False)
        for wrong in ({"max_concurrent": "x"}, {"rate_limit": "fast"}):
            assert client.post("/queues/emails/limits", data=wrong).status_code == 400

    def test_schedules(self, client: Client, queue: Queue) -> None:
        @queue.periodic("30 3 * * 1", name="weekly")
        def weekly() -> None:
            raise NotImplementedError

        assert "Mondays at 03:30 UTC" in words(page(client, "/schedules"))
        job = client.post("/schedules/weekly/trigger").headers["Location"]
        assert "weekly" in page(client, job)
        client.post("/schedules/weekly/pause")
        assert "weekly paused" in words(page(client, "/schedules"))
        client.post("/schedules/weekly/resume")
        assert client.post("/schedules/weekly/delete").status_code == 400
        client.post("/schedules/weekly/delete", data={"sure": "yes"})
        assert "No schedule is stored." in page(client, "/schedules")

    def test_workers_and_system(self, client: Client, queue: Queue) -> None:
        assert "No worker runs." in page(client, "/workers")
        with queue._stepping():
            assert "active" in page(client, "/workers")
        assert queue.db_path in page(client, "/system")


class TestReadOnly:
    def test_no_page_offers_what_would_be_refused(self, queue: Queue, dead: list[str]) -> None:
        queue.enqueue("add", queue="emails")
        client = Client(create_app(queue, read_only=True))
        paths = [r.path for r in TABLE.routes if r.kind == "page" and "<" not in r.path]
        for path in [*paths, f"/jobs/{dead[0]}", "/queues/emails", "/tasks/fail"]:
            assert 'method="post"' not in page(client, path), path


class TestTheme:
    def test_it_is_kept_in_a_cookie_and_rendered(self, client: Client) -> None:
        assert 'data-theme="system"' in page(client, "/")
        for theme in ("dark", "light", "system"):
            answer = client.get(f"/theme?set={theme}&back=/jobs")
            assert answer.headers["Location"] == "/jobs"
            assert f'data-theme="{theme}"' in page(client, "/")
        assert client.get("/theme?set=pink").status_code == 400
        assert client.get("/theme?set=dark&back=//evil.example").headers["Location"] == "/"


def test_old_addresses_are_led_on_by_a_script(client: Client) -> None:
    script = client.get("/static/old.js").text
    for old in ("jobs", "dead-letters", "metrics", "circuit-breakers", "workers", "logs"):
        assert re.search(rf'\b"?{old}"?: "', script), old
    assert "old.js" in page(client, "/")


class TestFilterLine:
    def test_terms_that_may_come_next_are_offered(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", (1, 2), queue='odd "name"')
        with queue._stepping():
            text = page(client, "/jobs?filter=state:ready")
        found = re.findall(r'<option value="([^"]*)" data-term="([^"]*)">', text)
        offered = [unescape(term) for _, term in found]
        assert {"state:dead", "task:add", r'queue:"odd \"name\""', "args."} <= set(offered)
        assert any(term.startswith("worker:") for term in offered)
        assert [unescape(value) for value, _ in found] == [f"state:ready {it}" for it in offered]

    def test_jobs_are_found_by_group_and_by_what_is_shown(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        job = queue.enqueue("add", (1,), {"b": 42})
        assert f'id="job-{job.id}"' in page(client, "/jobs?filter=args.b:42")
        group = re.findall(r"/failures/([0-9a-f]{16})", page(client, "/failures"))[0]
        for line in (f"fp:{group}", f"fp:{group[:8]}"):
            text = page(client, f"/jobs?filter={line}")
            assert all(f'id="job-{one}"' in text for one in dead)
            assert f'id="job-{job.id}"' not in text
        assert "no group of failures" in page(client, "/jobs?filter=fp:xyz", 400)


class TestMarks:
    def test_charts_have_them(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        assert 'id="marks"' not in page(client, "/")
        queue.mark("v<1.4>", who="ana")
        text = page(client, "/")
        assert "Marked: v<1.4> at 20" in words(text)
        assert 'title="by ana"' in text
        assert text.count('<rect class="mark"') >= 1
        assert "v<1.4>" in words(page(client, "/system"))
