"""Jobs through the JSON API."""

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard import create_app
from taskito_dashboard.app import Application
from taskito_dashboard.security import Guard, Rules
from taskito_dashboard.source import Source
from tests.dashboard.asking import UNKNOWN, Work, get, post

DETAILS = {
    *("errors", "dependencies", "dependents", "result", "args", "kwargs", "headers"),
    *("limit_key", "idempotency_key", "workflow_id", "worker_id"),
}


class TestList:
    def test_it_is_what_the_queue_lists_newest_first(self, client: Client, queue: Queue) -> None:
        jobs = [queue.enqueue("add", (number, 1)) for number in range(3)]

        assert get(client, "/api/jobs") == [job.to_dict() for job in reversed(jobs)]
        assert get(client, "/api/v1/jobs") == get(client, "/api/jobs")

    @pytest.mark.parametrize(
        "query",
        [
            "status=pending",
            "queue=other",
            "task=b",
            "metadata=needle",
            "created_after=1&task=b",
            "created_before=99999999999999&queue=other",
        ],
    )
    def test_filters_are_those_of_the_queue(
        self, client: Client, queue: Queue, query: str, dead: list[str]
    ) -> None:
        wanted = queue.enqueue("b", queue="other", metadata="a needle in hay")

        assert [job["id"] for job in get(client, f"/api/jobs?{query}")] == [wanted.id]
        assert len(get(client, "/api/jobs?status=dead")) == len(dead)
        assert len(get(client, "/api/jobs?error=fault%201")) == 1

    def test_the_cursor_leads_through_every_job_once(self, client: Client, queue: Queue) -> None:
        ids = {job.id for job in queue.enqueue_many("add", [(n, n) for n in range(7)])}
        seen: list[str] = []
        path: str | None = "/api/jobs?limit=3"
        while path is not None:
            response = client.get(path)
            assert response.json
            seen += [job["id"] for job in response.json]
            queue.enqueue("add", (0, 0))
            cursor = response.headers.get("X-Next-Cursor")
            path = cursor and f"/api/jobs?limit=3&cursor={cursor}"
        assert len(seen) == 7
        assert set(seen) == ids

    def test_an_offset_works_as_well(self, client: Client, queue: Queue) -> None:
        jobs = queue.enqueue_many("add", [(n, n) for n in range(5)])

        assert [job["id"] for job in get(client, "/api/jobs?limit=2&offset=2")] == [
            jobs[2].id,
            jobs[1].id,
        ]

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            ("limit=501", "limit is '501'"),
            ("limit=-1", "limit is '-1'"),
            ("limit=ten", "limit is 'ten'"),
            ("limit=٣", "limit is '٣'"),
            (f"limit={'9' * 5000}", "limit is '999"),
            ("offset=x", "offset is 'x'"),
            ("status=lost", "status is 'lost'"),
            ("created_after=yesterday", "created_after is 'yesterday'"),
            ("cursor=x", "cursor 'x' was not returned by this call"),
            ("offset=2&cursor=x", "cursor and offset exclude each other"),
        ],
    )
    def test_a_bad_parameter_is_named(self, client: Client, query: str, error: str) -> None:
        document = get(client, f"/api/jobs?{query}", 400)

        assert document["error"].startswith(error)
        assert document["hint"]


class TestOne:
    def test_it_has_all_that_is_stored(self, client: Client, queue: Queue, work: Work) -> None:
        first = queue.enqueue("add", (1, 2))
        job = queue.enqueue(
            "add",
            (3,),
            {"b": 4},
            depends_on=first.id,
            headers={"trace": "x"},
            limit_key="tenant",
            idempotency_key="once",
        )
        work()
        found = get(client, f"/api/jobs/{job.id}")

        assert found.keys() == job.to_dict().keys() | DETAILS
        assert {name: found[name] for name in job.to_dict()} == job.to_dict()
        assert found["status"] == "complete"
        assert found["result"] == "7"
        assert (found["args"], found["kwargs"]) == ("[3]", '{"b": 4}')
        assert found["dependencies"] == [first.id]
        assert get(client, f"/api/jobs/{first.id}")["dependents"] == [job.id]
        assert (found["headers"], found["limit_key"]) == ({"trace": "x"}, "tenant")
        assert found["idempotency_key"] == "once"
        assert found["worker_id"] is None

    def test_a_result_that_json_has_no_word_for_is_its_repr(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        @queue.task(name="odd")
        def odd() -> set[int]:
            return {1}

        job = odd.delay()
        assert get(client, f"/api/jobs/{job.id}")["result"] is None
        work()
        assert get(client, f"/api/jobs/{job.id}")["result"] == "{1}"

    def test_an_unknown_one_is_404(self, client: Client) -> None:
        for job_id in (UNKNOWN, "x"):
            assert get(client, f"/api/jobs/{job_id}", 404)["error"] == "Job not found"

    def test_opened_without_a_program_nothing_is_decoded(
        self, queue: Queue, tmp_path: Path, work: Work
    ) -> None:
        mark = tmp_path / "unpickled"
        job = queue.enqueue("add", (Trap(mark), 2))
        done = queue.enqueue("add", (1, 2))
        work()
        mark.unlink(missing_ok=True)
        client = Client(Application(Source(queue, decodes=False), Guard(Rules())))

        for entry in (job, done):
            found = get(client, f"/api/jobs/{entry.id}")
            assert (found["result"], found["args"], found["kwargs"]) == (None, None, None)
            assert client.get(f"/jobs/{entry.id}").status_code == 200
        assert not mark.exists()
        assert get(Client(create_app(queue)), f"/api/jobs/{done.id}")["result"] == "3"

    def test_what_belongs_to_it_is_what_the_queue_tells(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        (job_id, *_) = dead
        queue.replay(job_id)

        for name, told in {
            "errors": queue.job_errors(job_id),
            "logs": queue.task_logs(job_id),
            "replay-history": queue.replay_history(job_id),
        }.items():
            assert get(client, f"/api/jobs/{job_id}/{name}") == told
            assert get(client, f"/api/jobs/{UNKNOWN}/{name}") == []
        assert len(queue.job_errors(job_id)) == len(queue.replay_history(job_id)) == 1

    def test_why_says_what_keeps_it(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add", delay=3600)
        why = get(client, f"/api/jobs/{job.id}/why")

        assert (why["job_id"], why["status"], why["ready"]) == (job.id, "pending", False)
        codes = [reason["code"] for reason in why["reasons"]]
        assert codes == ["scheduled", "no_worker"]
        assert why["reasons"][0].keys() == {"code", "message", "until", "details"}
        assert get(client, f"/api/jobs/{UNKNOWN}/why", 404)["error"] == f"job not found: {UNKNOWN}"


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


class TestCancel:
    def test_each_state_has_its_answer(
        self, client: Client, queue: Queue, work: Work, dead: list[str]
    ) -> None:
        told: dict[str, Any] = {}

        @queue.task(name="asks")
        def asks() -> None:
            told["running"] = post(client, f"/api/jobs/{running.id}/cancel", status=202)

        running = asks.delay()
        work()
        waiting = queue.enqueue("add", delay=3600)

        assert told["running"] == {"cancelled": False, "cancel_requested": True}
        assert post(client, f"/api/jobs/{waiting.id}/cancel") == {"cancelled": True}
        assert waiting.status == "cancelled"
        finished = post(client, f"/api/jobs/{dead[0]}/cancel", status=409)
        assert finished["cancelled"] is False
        assert finished["error"] == f"job {dead[0]} is dead"
        assert post(client, f"/api/jobs/{UNKNOWN}/cancel", status=404)["error"]

    def test_many_by_id_and_by_filter(self, client: Client, queue: Queue) -> None:
        jobs = queue.enqueue_many("add", [(n, n) for n in range(4)], delay=3600)
        others = [queue.enqueue("b", delay=3600) for _ in range(2)]

        ids = [jobs[0].id, jobs[0].id, jobs[1].id, UNKNOWN]
        assert post(client, "/api/jobs/cancel", {"ids": ids}) == {"cancelled": 2}
        body = {"filter": {"task": "add", "status": "pending"}}
        assert post(client, "/api/jobs/cancel", body) == {"cancelled": 2}
        assert [job.status for job in others] == ["pending", "pending"]


class TestReplay:
    def test_one(self, client: Client, queue: Queue, dead: list[str]) -> None:
        new = post(client, f"/api/jobs/{dead[0]}/replay")["replay_job_id"]

        job = queue.get_job(new)
        assert job is not None
        assert json.loads(job.metadata or "") == {"replayed_from": dead[0]}
        assert post(client, f"/api/jobs/{UNKNOWN}/replay", status=404)["error"]

    def test_many_without_repeating_the_new_ones(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        new = post(client, "/api/jobs/replay", {"filter": {"task": "fail"}})["replay_job_ids"]
        assert len(new) == len(dead)
        assert queue.count_jobs(task_name="fail") == 2 * len(dead)
        again = post(client, "/api/jobs/replay", {"ids": [dead[0], UNKNOWN]})
        assert len(again["replay_job_ids"]) == 1
