"""Questions that would take too long: a page on which they can be narrowed, and a document."""

import logging

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard import app
from tests.dashboard.asking import HOSTILE, get, page, words

HINT = "narrow it by state, task, queue or time"


@pytest.fixture(autouse=True)
def haste(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give questions no time; short ones are answered all the same."""
    queue.enqueue_many("add", [(1, 2)] * 20_000)
    monkeypatch.setattr(app, "READ_MS", 0)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/jobs?filter=error:SMTP+task:add", "error:SMTP task:add"),
        ("/jobs?error=SMTP&task=add&status=pending", "state:pending task:add error:SMTP"),
        ("/operations/new?verb=retry&filter=tag:eu", "tag:eu"),
    ],
)
def test_the_filter_is_kept_to_be_narrowed(
    client: Client, path: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        html = page(client, path, 400)

    assert "Too broad" in words(html)
    assert "it would have taken over 2 s" in words(html)
    assert HINT in words(html)
    assert f'name="filter" size="60" maxlength="10000" value="{line}"' in html
    assert 'action="/jobs"' in html
    assert not caplog.records


def test_a_line_is_text_there(client: Client) -> None:
    html = page(client, f'/jobs?filter="{HOSTILE[:24]}"', 400)
    assert "Too broad" in words(html)
    assert "<script>alert" not in html


def test_the_api_says_the_same(client: Client) -> None:
    answer = get(client, "/api/jobs?error=SMTP", 400)
    assert "is too broad" in answer["error"]
    assert answer["hint"] == HINT
    assert client.get("/api/jobs?error=SMTP").headers["Cache-Control"] == "no-store"


def test_what_is_narrow_is_answered(client: Client) -> None:
    assert len(get(client, "/api/jobs?limit=5")) == 5
