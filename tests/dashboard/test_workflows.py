"""Workflows in the page and in the API."""

import re

import pytest
from werkzeug.test import Client

from taskito import Queue, chain, chord, group
from taskito_dashboard import create_app
from tests.dashboard.asking import HOSTILE, UNKNOWN, Work, get, page, post, words


@pytest.fixture
def failed(queue: Queue, work: Work) -> str:
    """A workflow: fetch is complete, parse failed, store was taken along."""

    @queue.task(name="fetch")
    def fetch(number: int) -> int:
        return number

    @queue.task(name="parse", max_retries=0)
    def parse(number: int) -> int:
        if work_is_bad:
            raise ValueError(number)
        return number + 1

    @queue.task(name="store")
    def store(number: int) -> int:
        return number + 10

    work_is_bad = [True]
    queue.enqueue("add", (1, 2))
    job = chain(fetch.s(1), parse.s(), store.s()).apply(queue)
    work()
    work_is_bad.clear()
    row = queue._database
    with row as database:
        (workflow,) = database.workflows()
    assert job.status == "cancelled"
    return workflow


class TestList:
    def test_without_any_it_says_how_to_make_one(self, client: Client) -> None:
        assert "No workflow is stored." in words(page(client, "/workflows"))

    def test_it_shows_progress_and_the_failed_job(self, client: Client, failed: str) -> None:
        text = page(client, "/workflows")
        (row,) = get(client, "/api/workflows")

        assert "Dead fetch, parse, store" in words(text)
        assert "1 of 3" in words(text)
        assert 'aria-label="1 completed, 1 dead, 1 cancelled"' in text
        assert f'href="/workflows/{failed}"' in text
        link = f'href="/jobs/{row["failed_job_id"]}">parse</a>'
        assert link in text
        assert f'first failure: <a class="call" {link}' in page(client, f"/workflows/{failed}")
        assert row["counts"] == {
            "complete": 1,
            "running": 0,
            "pending": 0,
            "dead": 1,
            "cancelled": 1,
        }
        assert (row["id"], row["status"], row["jobs"]) == (failed, "dead", 3)
        assert row["duration_ms"] == row["finished_at"] - row["started_at"]

    def test_older_ones_are_on_the_next_page(self, client: Client, queue: Queue) -> None:
        add = queue.task(name="plus")(lambda a, b: a + b)
        for number in range(26):
            chain(add.s(number, 1), add.s(1)).apply(queue)
        first = page(client, "/workflows")
        (older,) = re.findall(r'rel="next" href="([^"]*)"', first)

        assert "25 rows" in words(first)
        assert "1 row " in words(page(client, older))
        response = client.get("/api/workflows?limit=20")
        rest = get(client, f"/api/workflows?cursor={response.headers['X-Next-Cursor']}")
        assert len(get(client, "/api/workflows?limit=20")) == 20
        assert len(rest) == 6
        assert "X-Next-Cursor" not in client.get("/api/workflows").headers


class TestOne:
    def test_the_graph_and_the_table_say_the_same(self, client: Client, failed: str) -> None:
        text = page(client, f"/workflows/{failed}")
        nodes = get(client, f"/api/workflows/{failed}")["nodes"]

        assert [node["status"] for node in nodes] == ["complete", "dead", "cancelled"]
        assert [node["dependencies"] for node in nodes] == [
            [],
            [nodes[0]["id"]],
            [nodes[1]["id"]],
        ]
        drawing, table = text.split('<svg class="graph"')[1].split("</svg>", 1)
        for node in nodes:
            assert f'href="/jobs/{node["id"]}"' in drawing
            assert f'id="job-{node["id"]}"' in table
        assert drawing.count('class="tie') == 2
        assert drawing.count("tie critical") == 1

    def test_a_large_group_is_one_box_that_leads_to_its_jobs(
        self, client: Client, queue: Queue
    ) -> None:
        add = queue.task(name="plus")(lambda a, b: a + b)
        total = queue.task(name="total")(sum)
        chord([add.s(number, 1) for number in range(150)], total.s()).apply(queue)
        (row,) = get(client, "/api/workflows")
        text = page(client, f"/workflows/{row['id']}")

        assert text.count('class="box') == 2
        assert "plus: 150 jobs" in words(text)
        assert f'href="/workflows/{row["id"]}?task=plus#jobs"' in text
        chosen = page(client, f"/workflows/{row['id']}?task=plus&from=100")
        assert "50 rows" in words(chosen)
        assert "from=50" in text
        assert "← Before" in words(chosen)

    def test_an_unknown_one_is_not_found(self, client: Client) -> None:
        assert "workflow not found" in words(page(client, f"/workflows/{UNKNOWN}", 404))
        for path in (f"/api/workflows/{UNKNOWN}", "/api/workflows/x"):
            assert "workflow not found" in get(client, path, 404)["error"]
            assert post(client, f"{path}/cancel", status=404)["hint"]

    def test_a_job_leads_to_its_workflow(self, client: Client, failed: str) -> None:
        assert f'href="/workflows/{failed}"' in page(client, f"/jobs/{failed}")

    def test_hostile_names_are_text(self, client: Client, queue: Queue) -> None:
        nasty = queue.task(name=HOSTILE)(lambda: None)
        chain(nasty.si(), nasty.si()).apply(queue)
        (row,) = get(client, "/api/workflows")
        for path in ("/workflows", f"/workflows/{row['id']}"):
            text = page(client, path)
            assert "<script>alert" not in text
            assert "<img" not in text


class TestRetryFailed:
    def test_it_goes_on_where_the_workflow_failed(
        self, client: Client, queue: Queue, work: Work, failed: str
    ) -> None:
        answer = client.post(f"/workflows/{failed}/retry")
        new = answer.headers["Location"].split("?")[0].rsplit("/", 1)[1]
        work()

        assert answer.status_code == 303
        assert new != failed
        assert "2 jobs stored in a new workflow" in words(page(client, answer.headers["Location"]))
        nodes = get(client, f"/api/workflows/{new}")["nodes"]
        assert [(node["task"], node["status"]) for node in nodes] == [
            ("parse", "complete"),
            ("store", "complete"),
        ]
        last = queue.get_job(nodes[-1]["id"])
        assert last is not None
        assert last.result() == 12
        assert queue.dead_letters() == []
        assert "Retry failed" not in page(client, f"/workflows/{failed}")

    def test_a_second_time_there_is_nothing_to_retry(self, client: Client, failed: str) -> None:
        assert post(client, f"/api/workflows/{failed}/retry")["jobs"] == 2
        refused = post(client, f"/api/workflows/{failed}/retry", status=409)

        assert refused["error"] == "no job of the workflow is a dead letter"
        assert "apply the canvas again" in refused["hint"]

    def test_a_deleted_result_is_named(self, client: Client, queue: Queue, failed: str) -> None:
        queue.purge_completed(0)
        refused = post(client, f"/api/workflows/{failed}/retry", status=400)

        assert failed in refused["error"]

    def test_a_read_only_page_has_no_such_button(self, queue: Queue, failed: str) -> None:
        client = Client(create_app(queue, read_only=True))

        assert "Retry failed" not in page(client, f"/workflows/{failed}")
        assert client.post(f"/workflows/{failed}/retry").status_code == 403
        assert client.post(f"/api/workflows/{failed}/cancel").status_code == 403


class TestCancel:
    def test_it_calls_off_all_that_waits(self, client: Client, queue: Queue) -> None:
        add = queue.task(name="plus")(lambda a, b: a + b)
        jobs = (group(add.s(n, n) for n in range(3))).apply(queue)
        (row,) = get(client, "/api/workflows")
        answer = client.post(f"/workflows/{row['id']}/cancel")

        assert answer.headers["Location"] == f"/workflows/{row['id']}?did=cancelled&n=3"
        assert {job.status for job in jobs} == {"cancelled"}
        assert post(client, f"/api/workflows/{row['id']}/cancel") == {
            "cancelled": 0,
            "cancel_requested": 0,
        }
        assert get(client, f"/api/workflows/{row['id']}")["status"] == "cancelled"
