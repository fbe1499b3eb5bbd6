"""Calls that are made on the page: a form for a task, and the same for programs."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from taskito import JsonSerializer, Queue
from taskito_dashboard import create_app
from taskito_dashboard.app import Application
from taskito_dashboard.security import Guard, Rules
from taskito_dashboard.source import Source
from tests.dashboard.asking import UNKNOWN, Work, get, page, post, words

FORM = "/tasks/greet/enqueue"
API = "/api/tasks/greet/enqueue"
LINK = "Retry with edited args…"


@pytest.fixture
def greeted(queue: Queue) -> list[Any]:
    """What the task was called with."""
    found: list[Any] = []

    @queue.task(name="greet", queue="mail", priority=2)
    def greet(name: str, *, times: int = 1, access_token: str = "") -> None:
        found.append((name, times, access_token))

    return found


@pytest.fixture
def blind(queue: Queue) -> Client:
    """A dashboard of the database alone."""
    return Client(Application(Source(queue, decodes=False), Guard(Rules())))


def written(html: str) -> dict[str, str]:
    """What stands in the fields of a form, and what is chosen in it."""
    inputs = re.findall(r'<input [^>]*name="([^"]*)"[^>]*?(?: value="([^"]*)")', html)
    return {name: unescape(text) for name, text in inputs if name.startswith(("arg.", "opt."))}


@pytest.mark.usefixtures("greeted")
class TestForm:
    def test_it_has_the_arguments_with_types_and_defaults(self, client: Client) -> None:
        html = page(client, FORM)
        assert written(html)["arg.times"] == "1"
        assert "times int · default 1" in words(html)
        assert 'type="number" step="1"' in html
        assert 'placeholder="mail"' in html
        assert f'href="{FORM}"' in page(client, "/tasks/greet")

    def test_it_stores_a_job_and_leads_to_it(
        self, client: Client, queue: Queue, greeted: list[Any], work: Work
    ) -> None:
        sent = {"arg.name": "é <b>", "arg.times": "3", "arg.access_token": "", "opt.queue": "x"}
        sent |= {"opt.priority": "-1", "opt.delay": "", "back": "/nowhere"}
        answer = client.post(FORM, data=sent)
        assert answer.status_code == 303
        html = page(client, answer.headers["Location"])
        assert "One job enqueued." in words(html)
        assert "greet(name='é <b>', times=3)" in words(html)
        (job,) = queue.list_jobs()
        assert (job.to_dict()["queue"], job.to_dict()["priority"]) == ("x", -1)
        work()
        assert greeted == [("é <b>", 3, "")]

    def test_options_that_are_empty_are_those_of_the_task(
        self, client: Client, queue: Queue
    ) -> None:
        client.post(FORM, data={"arg.name": "a", "opt.queue": "", "opt.delay": "60"})
        (job,) = queue.list_jobs()
        told = job.to_dict()
        assert (told["queue"], told["priority"]) == ("mail", 2)
        assert told["scheduled_at"] - told["created_at"] == 60_000

    def test_what_is_wrong_is_said_beside_what_was_typed(
        self, client: Client, queue: Queue
    ) -> None:
        sent = {"arg.name": "<i>", "arg.times": "many", "opt.priority": "1.5"}
        answer = client.post(FORM, data=sent)
        assert answer.status_code == 400
        told = words(answer.text)
        assert "Nothing was stored: 2 fields are not understood." in told
        assert "times is 'many'. Write a whole number" in told
        assert "priority is '1.5'. Write a whole number" in told
        assert written(answer.text)["arg.name"] == "<i>"
        assert written(answer.text)["arg.times"] == "many"
        assert 'aria-invalid="true"' in answer.text
        assert queue.count_jobs() == 0

    def test_what_the_queue_refuses_is_said_as_well(self, client: Client, queue: Queue) -> None:
        answer = client.post(FORM, data={"arg.name": "a", "opt.priority": "9" * 12})
        assert answer.status_code == 400
        assert "Priority must be" in words(answer.text)
        assert written(answer.text)["arg.name"] == "a"
        assert queue.count_jobs() == 0

    def test_it_is_on_record(self, client: Client) -> None:
        client.post(FORM, data={"arg.name": "a"})
        client.post(FORM, data={"arg.name": "a", "arg.times": "x"})
        (deed,) = get(client, "/api/audit")
        assert (deed["deed"], deed["subject"], deed["count"]) == ("enqueue", "greet", 1)

    def test_only_who_may_act_sees_it(self, queue: Queue, client: Client) -> None:
        guest = Client(create_app(queue, read_only=True))
        assert guest.get(FORM).status_code == 403
        assert guest.post(FORM, data={"arg.name": "a"}).status_code == 403
        assert guest.post(API, json={"args": ["a"]}).status_code == 403
        assert "Enqueue…" not in page(guest, "/tasks/greet")
        assert "Enqueue…" in page(client, "/tasks/greet")

    def test_a_task_that_is_not_of_the_program_has_none(self, client: Client, queue: Queue) -> None:
        queue.enqueue("elsewhere")
        assert client.get("/tasks/elsewhere/enqueue").status_code == 404
        assert "Enqueue…" not in page(client, "/tasks/elsewhere")

    def test_without_a_program_there_is_none(self, blind: Client, queue: Queue) -> None:
        job = queue.enqueue("greet", ("a",))
        queue.cancel_job(job.id)
        answer = blind.get(FORM)
        assert answer.status_code == 409
        assert "start the dashboard with --app" in answer.text
        assert blind.get(f"{FORM}?job={job.id}").status_code == 409
        assert LINK not in page(blind, f"/jobs/{job.id}")


@pytest.mark.usefixtures("greeted")
class TestEdited:
    def test_a_finished_job_leads_to_a_form_with_its_arguments(
        self, client: Client, queue: Queue, greeted: list[Any], work: Work
    ) -> None:
        job = queue.enqueue("greet", ("ann",), {"times": 4}, priority=7)
        assert LINK not in page(client, f"/jobs/{job.id}")
        work()
        (link,) = re.findall(rf'href="([^"]*)">{LINK}', page(client, f"/jobs/{job.id}"))
        found = written(page(client, unescape(link)))
        assert (found["arg.name"], found["arg.times"]) == ("ann", "4")
        assert (found["opt.queue"], found["opt.priority"]) == ("mail", "7")
        client.post(FORM, data={**found, "arg.times": "5"})
        work()
        assert greeted == [("ann", 4, ""), ("ann", 5, "")]

    def test_secrets_are_not_shown_and_must_be_written_anew(
        self, client: Client, queue: Queue
    ) -> None:
        job = queue.enqueue("greet", ("ann",), {"access_token": "hush"})
        html = page(client, f"{FORM}?job={job.id}")
        assert "hush" not in html
        assert "the value is hidden" in html
        sent = {"arg.name": "ann", "arg.access_token": "", "arg.access_token.must": "yes"}
        answer = client.post(FORM, data=sent)
        assert answer.status_code == 400
        assert "access_token is empty." in words(answer.text)
        assert 'name="arg.access_token.must"' in answer.text

    def test_what_functions_take_out_of_previews_is_not_shown(self, tmp_path: Path) -> None:
        with Queue(
            tmp_path / "cards.db", redact=[lambda text: re.sub(r"\d{13,}", "(card)", text)]
        ) as queue:
            queue.task(name="greet")(print)
            job = queue.enqueue("greet", ("4000000000000002",), {"sep": "-"})
            client = Client(create_app(queue))
            html = page(client, f"{FORM}?job={job.id}")
        assert "4000000000000002" not in html
        assert "the value is hidden" in html

    def test_what_cannot_be_read_is_empty(
        self, client: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = queue.enqueue("greet", ("ann",))
        monkeypatch.setattr(queue, "_serializer", JsonSerializer())
        html = page(client, f"{FORM}?job={job.id}")
        assert "the arguments of the job cannot be read" in html
        assert written(html)["arg.name"] == ""
        assert 'name="arg.name.must"' in html

    def test_a_job_of_another_task_is_refused(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add", (1, 2))
        answer = client.get(f"{FORM}?job={job.id}")
        assert answer.status_code == 400
        assert "is of task" in answer.text
        assert client.get(f"{FORM}?job={UNKNOWN}").status_code == 404


@pytest.mark.usefixtures("greeted")
class TestDocuments:
    def test_a_job_is_stored(self, client: Client, queue: Queue) -> None:
        body = {"args": ["a"], "kwargs": {"times": 2}, "queue": "q", "priority": 9, "delay": 1.5}
        job = queue.get_job(post(client, API, body)["job_id"])
        assert job is not None
        told = job.to_dict()
        assert (told["queue"], told["priority"]) == ("q", 9)
        assert told["scheduled_at"] - told["created_at"] == 1500
        assert get(client, f"/api/jobs/{job.id}")["kwargs"] == '{"times": 2}'

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ({"args": [1, 2, 3]}, "these arguments do not fit 'greet': too many positional"),
            ({"kwargs": {"nam": 1}}, "these arguments do not fit 'greet': missing a required"),
            ({"args": "a"}, "args is 'a'"),
            ({"args": ["a"], "kwargs": None}, "kwargs is None"),
            ({"args": ["a"], "timeout": 3}, "the body has 'timeout'"),
            ({"args": ["a"], "priority": "high"}, "priority must be"),
            ({"args": ["a"], "delay": "soon"}, "delay must be"),
            ({"args": ["a"], "queue": 7}, "queue must be"),
        ],
    )
    def test_a_call_that_cannot_be_is_refused(
        self, client: Client, queue: Queue, body: object, error: str
    ) -> None:
        refused = post(client, API, body, 400)
        assert refused["error"].startswith(error)
        assert queue.count_jobs() == 0

    def test_a_task_that_is_not_of_the_program_is_not_found(self, client: Client) -> None:
        refused = post(client, "/api/v1/tasks/nowhere/enqueue", {}, 404)
        assert refused["error"] == "task not registered: nowhere"

    def test_without_a_program_it_is_a_conflict(self, blind: Client) -> None:
        refused = post(blind, API, {"args": ["a"]}, 409)
        assert refused["error"] == "this dashboard has a database and no program"
        assert "--app" in refused["hint"]

    def test_what_the_serializer_cannot_write_is_refused(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "small.db", max_payload_bytes=50) as queue:
            queue.task(name="greet")(print)
            client = Client(create_app(queue))
            assert "bytes" in post(client, API, {"args": ["a" * 100]}, 400)["error"]
