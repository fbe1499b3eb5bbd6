"""Answers are packed for clients that can unpack them, and for no others."""

import gzip

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard.rendering import Pages
from taskito_dashboard.source import Source

PACKED = {"Accept-Encoding": "gzip"}


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock that ages pages."""
    monkeypatch.setattr(Source, "now", 1_000_000_000_000)


@pytest.mark.parametrize("path", ["/", "/jobs", "/api/jobs", "/static/style.css"])
def test_the_packed_answer_is_the_same_answer(client: Client, queue: Queue, path: str) -> None:
    queue.enqueue_many("add", [(n, n) for n in range(50)])
    plain = client.get(path)
    small = client.get(path, headers=PACKED)

    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) == int(small.headers["Content-Length"]) < len(plain.data) / 2
    assert gzip.decompress(small.data) == plain.data
    for answer in (plain, small):
        assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("wish", ["identity", "br", "gzip;q=0"])
def test_who_cannot_unpack_gets_it_plain(client: Client, wish: str) -> None:
    answer = client.get("/static/style.css", headers={"Accept-Encoding": wish})

    assert answer.data == Pages().files["style.css"]


def test_short_answers_stay_as_they_are(client: Client) -> None:
    assert "Content-Encoding" not in client.get("/api/stats", headers=PACKED).headers


def test_a_packed_page_is_not_sent_again_without_a_change(client: Client, queue: Queue) -> None:
    queue.enqueue("add", (1, 2))
    etag = client.get("/jobs", headers=PACKED).headers["ETag"]
    again = client.get("/jobs", headers={**PACKED, "If-None-Match": etag})

    assert (again.status_code, again.data) == (304, b"")
