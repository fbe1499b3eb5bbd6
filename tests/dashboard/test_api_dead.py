"""Dead letters, and many rows at once, through the JSON API."""

import pytest
from werkzeug.test import Client

from taskito import Queue
from tests.dashboard.asking import UNKNOWN, get, post


class TestDeadLetters:
    def test_the_list_is_that_of_the_queue(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        assert get(client, "/api/dead-letters") == list(queue.dead_letters())
        response = client.get("/api/dead-letters?limit=2&task=fail&queue=default")
        assert response.json == list(queue.dead_letters(2))
        cursor = response.headers["X-Next-Cursor"]
        (last,) = get(client, f"/api/dead-letters?cursor={cursor}")
        assert last["original_job_id"] == dead[0]
        assert get(client, "/api/dead-letters?task=none") == []

    @pytest.mark.usefixtures("dead")
    def test_one_is_retried_or_deleted(self, client: Client, queue: Queue) -> None:
        first, second, _ = queue.dead_letters()

        new = post(client, f"/api/dead-letters/{first['id']}/retry")["new_job_id"]
        assert queue.get_job(new) is not None
        assert client.delete(f"/api/dead-letters/{second['id']}").json == {"deleted": True}
        assert len(queue.dead_letters()) == 1
        assert client.delete(f"/api/dead-letters/{second['id']}").status_code == 404
        assert post(client, f"/api/dead-letters/{first['id']}/retry", status=404)["error"]

    @pytest.mark.usefixtures("dead")
    def test_many_are_retried_or_deleted(self, client: Client, queue: Queue) -> None:
        ids = [letter["id"] for letter in queue.dead_letters()]

        one = post(client, "/api/dead-letters/retry", {"ids": [ids[0], UNKNOWN]})
        assert len(one["new_job_ids"]) == 1
        assert post(client, "/api/dead-letters/delete", {"ids": ids}) == {"deleted": 2}

    @pytest.mark.usefixtures("dead")
    def test_all_that_match_are_retried(self, client: Client, queue: Queue) -> None:
        none = {"filter": {"task": "other"}}
        assert post(client, "/api/dead-letters/retry", none) == {"new_job_ids": []}
        assert post(client, "/api/dead-letters/delete", none) == {"deleted": 0}
        new = post(client, "/api/dead-letters/retry", {"filter": {"queue": "default"}})
        assert len(new["new_job_ids"]) == 3
        assert not queue.dead_letters()

    @pytest.mark.usefixtures("dead")
    def test_old_ones_are_purged(self, client: Client, queue: Queue) -> None:
        path = "/api/dead-letters/purge"
        assert post(client, f"{path}?older_than=3600") == {"purged": 0}
        assert post(client, path, {"older_than": 3600}) == {"purged": 0}
        assert post(client, path, {"task": "other"}) == {"purged": 0}
        assert post(client, path, {"older": 1}, 400)["error"] == "the body has older"
        assert post(client, path) == {"purged": 3}
        assert not queue.dead_letters()


class TestBulk:
    PATHS = (
        "/api/jobs/cancel",
        "/api/jobs/replay",
        "/api/dead-letters/retry",
        "/api/dead-letters/delete",
    )

    @pytest.mark.parametrize(
        ("body", "status", "error"),
        [
            ({}, 400, "the body has no key"),
            ({"ids": [], "filter": {}}, 400, "the body has 'filter', 'ids'"),
            ({"id": []}, 400, "the body has 'id'"),
            ({"ids": "x"}, 400, "ids is not a list of texts"),
            ({"ids": [1]}, 400, "ids is not a list of texts"),
            ({"filter": []}, 400, "filter is not an object"),
            ({"filter": {"color": "red"}}, 400, "filter has 'color'"),
            ({"filter": {"task": ["x"]}}, 400, "task is no text or number"),
            ({"ids": [UNKNOWN] * 1001}, 413, "ids has 1,001 entries"),
            ([1], 400, "the body is not a JSON object"),
            ("x", 400, "the body is not a JSON object"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_what_is_not_understood_changes_nothing(
        self, client: Client, queue: Queue, body: object, status: int, error: str
    ) -> None:
        job = queue.enqueue("add", delay=3600)
        for path in self.PATHS:
            assert post(client, path, body, status)["error"] == error
        assert (job.status, queue.count_jobs()) == ("pending", 1)

    def test_a_thousand_ids_are_taken(self, client: Client) -> None:
        for path in self.PATHS:
            post(client, path, {"ids": [UNKNOWN] * 1000})

    def test_a_body_that_is_no_json_or_too_large_is_refused(self, client: Client) -> None:
        for path in self.PATHS:
            assert client.post(path, data=b"{").status_code == 400
            assert client.post(path, data=b"\xff").status_code == 400
            assert client.post(path, data=b" " * (2**20 + 1)).status_code == 413
