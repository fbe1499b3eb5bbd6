"""Where arguments are hidden, no answer has any of them, and none is found by them."""

import re

import pytest
from werkzeug.test import Client

from taskito import Queue, current_job
from taskito_dashboard import Dashboard
from taskito_dashboard.routes import TABLE
from tests.dashboard.asking import Work, get, words

SECRET = "mango"
"""What jobs are called with and what they return."""


@pytest.fixture
def jobs(queue: Queue, work: Work) -> list[str]:
    """One job that returned, one that died, one that waits."""

    @queue.task(name="keep")
    def keep(text: str) -> str:
        return text

    @queue.task(name="spoil", max_retries=0)
    def spoil(text: str) -> None:
        current_job.log(f"looked at {len(text)} letters")
        raise RuntimeError("spoilt")

    made = [keep.delay(SECRET).id, spoil.delay(text=SECRET).id]
    work()
    return [*made, keep.apply_async((SECRET,), delay=3600).id]


def answers(client: Client, jobs: list[str]) -> dict[str, str]:
    """What the dashboard says about all there is, by address."""
    (group,) = get(client, "/api/failures")
    found = {}
    paths = [route.path for route in TABLE.routes if route.method == "GET"]
    known = {"name": "keep", "group": group["fingerprint"], "file": "icon.svg"}
    for job in jobs:
        for path in paths:
            for name, value in {**known, "id": job}.items():
                path = re.sub(rf"<(?:name:)?{name}>", value, path)  # noqa: PLW2901 - filled in
            found[path] = client.get(path).text
    for job in jobs:
        found[f"form of {job}"] = client.get(f"/tasks/keep/enqueue?job={job}").text
    return found


def test_no_answer_has_them(queue: Queue, jobs: list[str]) -> None:
    shown = answers(Client(Dashboard(queue)), jobs)
    hidden = answers(Client(Dashboard(queue, hide_args=True)), jobs)

    assert sum(SECRET in text for text in shown.values()) > 10
    assert [path for path, text in hidden.items() if SECRET in text] == []
    assert "hidden" in words(hidden["/system"])
    assert "spoilt" in hidden["/failures"]


def test_nothing_tells_them_while_a_job_runs(queue: Queue, work: Work) -> None:
    said: dict[bool, str] = {}

    @queue.task(name="peek")
    def peek(text: str) -> None:
        for hides in (False, True):
            client = Client(Dashboard(queue, hide_args=hides))
            paths = ("/", "/workers", "/api/running", f"/jobs/{current_job.id}")
            said[hides] = "".join(client.get(path).text for path in paths)
            assert "peek" in said[hides], text

    peek.delay(SECRET)
    work()

    assert said[False].count(SECRET) >= 4
    assert SECRET not in said[True]


@pytest.mark.parametrize("line", [f"args.text:{SECRET}", SECRET, f"-args.text:{SECRET}"])
@pytest.mark.parametrize(
    "path",
    ["/jobs", "/api/jobs", "/api/count", "/export/jobs.csv", "/operations/new"],
)
@pytest.mark.usefixtures("jobs")
def test_no_job_is_found_by_them(queue: Queue, path: str, line: str) -> None:
    asked = {"query_string": {"filter": line}}
    assert Client(Dashboard(queue)).get(path, **asked).status_code == 200
    refused = Client(Dashboard(queue, hide_args=True)).get(path, **asked)

    assert refused.status_code == 403
    assert "arguments are hidden here" in refused.text


def test_nothing_is_done_to_jobs_that_they_would_find(queue: Queue, jobs: list[str]) -> None:
    client = Client(Dashboard(queue, hide_args=True))
    body = {"verb": "cancel", "filter": f"args.text:{SECRET}"}

    assert client.post("/api/operations", json=body).status_code == 403
    assert queue.count_jobs("pending") == 1
    place = client.get(f"/find?q={SECRET}").headers["Location"]
    assert place.endswith("filter=error%3Amango")
    assert client.get("/jobs?filter=error:spoilt").status_code == 200
    assert len(jobs) == 3
