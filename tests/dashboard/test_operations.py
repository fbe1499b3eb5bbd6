"""Operations on all jobs that match: asking, watching, stopping, taking back; who did what."""

import csv
import re
from html import unescape
from urllib.parse import quote

import orjson
import pytest
from werkzeug.test import Client

from taskito import JsonSerializer, Queue
from taskito.bulk import Bulk
from taskito.filters import Filter
from taskito_dashboard import create_app
from tests.dashboard.asking import HOSTILE, UNKNOWN, get, page, post, words
from tests.support.until import until


def follow(client: Client, path: str, data: dict[str, object]) -> tuple[str, str]:
    """Send a form; the address it leads to, and the page there."""
    answer = client.post(path, data=data)
    assert answer.status_code == 303, answer.text
    address = answer.headers["Location"]
    return address, page(client, address)


def undo_of(html: str) -> str:
    """The address that the form of Undo leads to."""
    (found,) = re.findall(r'action="([^"]*)"><input[^>]*><button[^>]*>Undo<', html)
    return str(found)


class TestAsk:
    def test_it_says_which_how_many_and_shows_samples(self, client: Client, queue: Queue) -> None:
        jobs = queue.enqueue_many("add", [(n, n) for n in range(7)])
        html = page(client, "/operations/new?verb=cancel&filter=task:add+state:ready")

        assert "jobs where its task is add and its state is ready" in words(html)
        assert "Cancel 7 jobs" in words(html)
        assert [job.id for job in jobs[:1:-1]] == re.findall(r'<tr id="job-([^"]*)"', html)

    def test_only_a_deletion_wants_a_word(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add")
        queue.cancel_job(job.id)
        form = {"verb": "delete", "filter": "task:add"}

        assert "Type delete to confirm" in words(page(client, "/operations/new?verb=delete"))
        assert client.post("/operations", data=form).status_code == 400
        assert queue.get_job(job.id) is not None
        _, html = follow(client, "/operations", {**form, "typed": " Delete"})
        assert queue.get_job(job.id) is None
        assert "Undo" not in words(html)

    def test_ticked_jobs_to_delete_are_asked_about(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add")
        address, html = follow(client, "/jobs", {"deed": "delete", "ids": [job.id]})
        assert address.startswith("/operations/new?verb=delete&filter=id")
        assert f"its id begins with {job.id}" in words(html)

    @pytest.mark.parametrize(
        "form",
        [
            {"verb": "explode"},
            {"verb": "cancel", "filter": "state:x"},
            {"verb": "cancel", "rate": "fast"},
            {"verb": "retry", "stop_after": "0"},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, client: Client, form: dict[str, str]) -> None:
        assert client.post("/operations", data=form).status_code == 400
        assert get(client, "/api/operations") == []


class TestOperate:
    def test_all_that_match_are_retried(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        address, html = follow(client, "/jobs", {"deed": "retry-all", "filter": "state:dead"})
        assert address == "/operations/new?verb=retry&filter=state%3Adead"
        assert "Stop after so many failed" in words(html)
        address, html = follow(client, "/operations", {"verb": "retry", "filter": "state:dead"})

        assert "Retry all that match ✓ Done" in words(html)
        assert "3 of 3" in words(html)
        assert queue.count_jobs("pending") == len(dead)
        assert queue.dead_letters() == []
        client.post(undo_of(html))
        assert queue.count_jobs("pending") == 0
        assert len(queue.dead_letters()) == len(dead)
        html = page(client, address)
        assert "undone by dashboard: 3 jobs" in words(html)
        assert "Undo" not in words(html)

    def test_a_large_one_goes_on_without_the_page(self, client: Client, queue: Queue) -> None:
        queue.enqueue_many("add", [()] * 1500)
        body = {"verb": "cancel", "filter": "task:add", "rate": 2000}
        begun = post(client, "/api/operations", body, 202)
        assert (begun["state"], begun["total"]) == ("running", 1500)
        html = page(client, f"/operations/{begun['id']}")
        assert "of 1,500" in words(html)
        assert "at most 2,000/s" in words(html)

        path = f"/api/operations/{begun['id']}"
        until(lambda: get(client, path)["state"] == "done")
        assert queue.count_jobs("cancelled") == 1500

    def test_one_that_is_stopped_goes_no_further(self, client: Client, queue: Queue) -> None:
        queue.enqueue_many("add", [()] * 100)
        begun = post(client, "/api/operations", {"verb": "cancel", "filter": "", "rate": 1}, 202)
        _, html = follow(client, f"/operations/{begun['id']}/stop", {})
        assert "Stopped" in words(html)
        assert "stopped by dashboard" in words(html)
        assert post(client, f"/api/operations/{begun['id']}/stop") == {"stopped": False}
        assert queue.count_jobs("pending") >= 98

    def test_unknown_ones_are_not_found(self, client: Client) -> None:
        assert page(client, f"/operations/{UNKNOWN}", 404)
        for deed in ("stop", "undo"):
            assert client.post(f"/operations/{UNKNOWN}/{deed}").status_code == 404
            post(client, f"/api/operations/{UNKNOWN}/{deed}", status=404)

    def test_who_may_only_see_begins_nothing(self, queue: Queue) -> None:
        queue.enqueue("add")
        Bulk(queue).begin("cancel", Filter(), who="ana")
        client = Client(create_app(queue, read_only=True))
        assert client.post("/operations", data={"verb": "cancel"}).status_code == 403
        main = page(client, "/operations/new").partition("<main")[2].partition("</main>")[0]
        assert "<button" not in main
        (operation,) = get(client, "/api/operations")
        page(client, f"/operations/{operation['id']}")
        assert queue.count_jobs("pending") == 1


class TestCanary:
    def test_it_is_asked_about_and_told_wherever_operations_are(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        [way] = re.findall(r'href="([^"]*)">Retry all that match', page(client, "/failures"))
        asked = page(client, unescape(way))
        for name, value in (("rate", 20), ("canary", 1), ("stop_after", 5)):
            assert re.search(rf'name="{name}" [^>]*value="{value}"', asked)
        assert "canary" not in page(client, "/operations/new?verb=cancel")

        form: dict[str, object] = {"verb": "retry", "filter": "state:dead", "canary": "2"}
        address, html = follow(client, "/operations", form)
        assert "Running waits for its canary Stop" in words(html)
        assert html.count('<tr id="job-') == 2
        for place in ("/operations", "/system"):
            html = page(client, place)
            assert "Retry waits for its canary" in words(html)
            assert re.search(r'<progress max="100" value="66"', html)

        _, html = follow(client, f"{address}/stop", {})
        assert "The others were left alone." in words(html)
        follow(client, undo_of(html), {})
        assert len(queue.dead_letters()) == len(dead)

    def test_only_a_retry_has_one(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add")
        form = {"verb": "cancel", "filter": "task:add", "canary": "1"}
        assert client.post("/operations", data=form).status_code == 400
        assert get(client, "/api/operations") == []


class TestUndo:
    def test_a_job_that_was_retried_is_dead_again(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        address, html = follow(client, f"/jobs/{dead[0]}/retry", {})
        assert "1 job retried. Undo" in words(html)
        address, html = follow(client, undo_of(html), {"back": address})
        assert address == f"/jobs/{dead[0]}?did=undone&n=1"
        assert "1 job taken back." in words(html)
        assert len(queue.dead_letters()) == len(dead)
        assert queue.count_jobs("pending") == 0

    def test_a_job_that_was_cancelled_waits_again(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add", (1, 2), delay=3600, unique_key="u")
        due = job.scheduled_at
        _, html = follow(client, f"/jobs/{job.id}/cancel", {})
        assert "1 job cancelled. Running jobs are asked to end. Undo" in words(html)
        follow(client, undo_of(html), {})
        (back,) = queue.list_jobs("pending")
        assert (back.scheduled_at, back.to_dict()["unique_key"]) == (due, "u")

    def test_ticked_jobs_are_taken_back_together(self, client: Client, queue: Queue) -> None:
        ids = [job.id for job in queue.enqueue_many("add", [()] * 3, delay=60)]
        _, html = follow(client, "/jobs", {"deed": "cancel", "ids": ids})
        _, html = follow(client, undo_of(html), {"back": "/jobs?filter=state:scheduled"})
        assert "3 jobs taken back." in words(html)
        assert queue.count_jobs("pending") == 3

    def test_a_pause_is_taken_back(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", queue="a/b c")
        _, html = follow(client, f"/queues/{quote('a/b c', safe='')}/pause", {})
        assert queue.paused_queues() == ["a/b c"]
        follow(client, unescape(undo_of(html)), {})
        assert queue.paused_queues() == []

    def test_it_is_offered_for_ten_seconds(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add")
        address, html = follow(client, f"/jobs/{job.id}/cancel", {})
        late = re.sub(r"at=(\d+)", lambda found: f"at={int(found[1]) - 10_001}", address)
        assert "Undo" in words(html)
        assert "Undo" not in words(page(client, late))

    def test_an_address_that_is_made_up_offers_nothing_foreign(self, client: Client) -> None:
        for made_up in ("did=paused&of=//evil&at=9", "did=retried&op=x&at=" + "9" * 30):
            html = page(client, f"/queues?{made_up}&n=1")
            assert 'action="//' not in html

    def test_what_a_worker_has_had_stays(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        _, html = follow(client, f"/jobs/{dead[0]}/retry", {})
        with queue._stepping() as worker:
            worker.run_next()
        _, html = follow(client, undo_of(html), {})
        assert "0 jobs taken back." in words(html)


class TestAudit:
    def test_every_action_is_on_record(self, client: Client, queue: Queue, dead: list[str]) -> None:
        job = queue.enqueue("add", delay=60)
        client.post("/queues/emails/pause")
        client.post(f"/jobs/{job.id}/cancel")
        client.post(f"/jobs/{dead[0]}/replay")
        client.post("/failures", data={"deed": "purge", "sure": "yes"})
        post(client, "/api/queues/emails/resume")
        client.put("/api/queues/emails/limits", json={"max_concurrent": 2})
        post(client, "/api/jobs/replay", {"ids": dead})
        post(client, "/api/jobs/nobody/replay", status=404)
        told = [
            (deed["deed"], deed["subject"], deed["count"]) for deed in get(client, "/api/audit")
        ]

        assert told == [
            ("replay", "jobs", 3),
            ("limits", "emails", 1),
            ("resume", "emails", 1),
            ("purge", "failures", 3),
            ("replay", dead[0], 1),
            ("cancel", f"id:{job.id}", 1),
            ("pause", "emails", 1),
        ]
        text = words(page(client, "/system"))
        assert "pause emails 1 dashboard" in text
        assert "Done Cancel" in text

    def test_who_did_it_is_what_the_server_says(self, client: Client) -> None:
        client.post("/queues/a/pause", environ_base={"REMOTE_USER": "ana"})
        assert [deed["who"] for deed in get(client, "/api/audit")] == ["ana"]

    def test_hostile_names_are_shown_as_text(self, client: Client, queue: Queue) -> None:
        queue.enqueue(HOSTILE)
        client.post(f"/queues/{quote(HOSTILE, safe='')}/pause")
        line = quote(str(Filter().with_term("task", HOSTILE)))
        follow(client, "/operations", {"verb": "cancel", "filter": f'"{HOSTILE[:8]}"'})
        for path in (
            "/system",
            "/operations",
            f"/jobs?filter={line}",
            f"/operations/new?filter={line}",
        ):
            assert "<script>alert" not in page(client, path)


class TestFilterLine:
    def test_jobs_are_found_by_their_arguments(self, tmp_path: object) -> None:
        with Queue(f"{tmp_path}/jobs.db", serializer=JsonSerializer()) as queue:
            job = queue.enqueue("send", (), {"user_id": 42})
            queue.enqueue("send", (), {"user_id": 43})
            client = Client(create_app(queue))
            (found,) = get(client, "/api/jobs?filter=args.user_id:42")
            assert found["id"] == job.id
            assert "1 row" in words(page(client, "/jobs?filter=args.user_id:42"))
            counted = get(client, "/api/count?filter=args.user_id:4*")
            assert counted == {"count": 2, "is_capped": False, "is_whole": True}

    def test_pages_lead_on(self, client: Client, queue: Queue) -> None:
        queue.enqueue_many("add", [()] * 5)
        answer = client.get("/api/jobs?filter=task:add&limit=3")
        cursor = answer.headers["X-Next-Cursor"]
        rest = client.get(f"/api/jobs?filter=task:add&limit=3&cursor={cursor}")
        assert (len(answer.json or []), len(rest.json or [])) == (3, 2)
        assert "X-Next-Cursor" not in rest.headers

    def test_a_search_that_ended_early_says_so(self, client: Client, queue: Queue) -> None:
        queue.enqueue("rare", metadata='{"tags": "x"}')
        queue.enqueue_many("add", [()] * 101_000)
        answer = client.get("/api/jobs?filter=tag:x")
        assert (answer.json, answer.headers["X-Searched"]) == ([], "100000")
        html = page(client, "/jobs?filter=tag:x")
        assert "Searched the newest 100,000 jobs. Search older ones" in words(html)
        (older,) = re.findall(r'href="([^"]*)">Search older ones', html)
        assert "1 row" in words(page(client, unescape(older)))

    @pytest.mark.parametrize("query", ["filter=x&status=dead", "filter=x&offset=1", "filter=a:b"])
    def test_what_makes_no_sense_is_refused(self, client: Client, query: str) -> None:
        assert "hint" in get(client, f"/api/jobs?{query}", 400)

    def test_operations_are_described(self, client: Client) -> None:
        paths = get(client, "/api/v1/openapi.json")["paths"]
        assert {"/operations", "/operations/{id}/undo", "/audit", "/count"} <= paths.keys()
        body = paths["/operations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["properties"]["verb"]["enum"] == ["retry", "cancel", "delete"]


class TestExport:
    def test_all_that_match_are_written(self, client: Client, queue: Queue) -> None:
        queue.enqueue_many("add", [()] * 1200)
        formula = queue.enqueue("=1+1", metadata='a,\n"b"')
        document = client.get("/export/jobs.json?filter=task:add")
        assert len(orjson.loads(document.data)) == 1200
        answer = client.get("/export/jobs.csv")
        rows = list(csv.DictReader(answer.text.splitlines(keepends=True)))
        assert len(rows) == 1201
        assert (rows[0]["id"], rows[0]["task_name"]) == (formula.id, "'=1+1")
        assert rows[0]["metadata"] == 'a,\n"b"'
        assert answer.headers["Content-Disposition"] == 'attachment; filename="jobs.csv"'
        assert client.get("/export/jobs.json?filter=task:none").data == b"[]\n"
        assert client.get("/export/jobs.csv?filter=x:y").status_code == 400


def copies_of(html: str) -> dict[str, str]:
    """What the page of a job offers to paste, by name."""
    pattern = r"<summary>(\w+)</summary><pre[^>]*>(.*?)</pre>"
    found = re.findall(pattern, html, re.DOTALL)
    return {unescape(name): unescape(text) for name, text in found}


class TestCopy:
    @pytest.mark.parametrize(
        "kwargs", [{"password": "moon"}, {"note": "moon" * 60}, {"note": object}]
    )
    def test_what_a_preview_does_not_show_is_not_copied(
        self, client: Client, queue: Queue, kwargs: dict[str, object]
    ) -> None:
        job = queue.enqueue("add", (1,), kwargs)
        html = page(client, f"/jobs/{job.id}")
        copies = copies_of(html)
        assert copies["Python"] == f"queue.replay({job.id!r})"
        assert "- call: `add(1, " in copies["Markdown"]
        assert "moon'" not in html

    def test_a_job_can_be_pasted_elsewhere(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        copies = copies_of(page(client, f"/jobs/{dead[0]}"))
        assert copies["CLI"] == f"taskito --db {queue.db_path} jobs show {dead[0]}"
        assert copies["Python"] == "queue.enqueue('fail', ['fault 0'], {})"
        assert copies["curl"] == f"curl -s http://localhost/api/jobs/{dead[0]}"
        assert copies["Markdown"].startswith("**fail** dead, 0 of 0 retries spent")
        assert "RuntimeError: fault 0\n```" in copies["Markdown"]
