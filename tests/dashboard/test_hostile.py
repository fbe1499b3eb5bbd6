"""Names and texts that would like to be markup."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from werkzeug.test import Client

from taskito import Queue, current_job
from taskito_dashboard.routes import TABLE
from tests.dashboard.asking import HOSTILE, Work, page


class TestHostileData:
    @pytest.fixture
    def hostile(self, queue: Queue, work: Work) -> Iterator[list[str]]:
        @queue.task(name=HOSTILE, max_retries=0)
        def fail(text: str) -> None:
            current_job.log(text, level=text, extra={text: text})
            raise RuntimeError(text)

        @queue.periodic("0 3 * * *", name=f"s{HOSTILE}")
        def nightly() -> None:
            raise NotImplementedError

        job = queue.enqueue(
            HOSTILE,
            (HOSTILE,),
            queue=HOSTILE,
            unique_key=HOSTILE,
            metadata=HOSTILE,
            limit_key=HOSTILE,
            headers={HOSTILE: HOSTILE},
        )
        work()
        queue.enqueue(HOSTILE, queue=HOSTILE, metadata=HOSTILE)
        queue.enqueue(f"other{HOSTILE}", queue="x")
        with queue._stepping():
            yield [job.id]

    def test_it_is_text_on_every_page(self, client: Client, hostile: list[str]) -> None:
        from urllib.parse import quote, urlencode

        name = quote(HOSTILE, safe="")
        paths = [r.path for r in TABLE.routes if r.kind == "page" and "<" not in r.path]
        query = urlencode({"task": HOSTILE, "queue": HOSTILE, "error": "alert", "metadata": "<"})
        paths += [f"/jobs/{hostile[0]}", f"/tasks/{name}", f"/queues/{name}", f"/jobs?{query}"]
        paths += [f"/failures?{urlencode({'task': HOSTILE})}", f"/{name}", "/jobs/%3Cb%3E"]
        shown = 0
        for path in paths:
            text = client.get(path).text
            assert "<script>alert" not in text, path
            assert "<img" not in text, path
            assert "onerror=alert(1)>" not in text, path
            assert ">49" not in text, path
            shown += text.count("&lt;script&gt;alert")
        assert shown > 30

    def test_links_lead_to_the_thing_itself(self, client: Client, hostile: list[str]) -> None:
        text = page(client, f"/jobs/{hostile[0]}")
        found = re.findall(r'href="(/(?:tasks|queues)/[^"]+)"', text)

        assert len(found) == 3
        for link in found:
            assert HOSTILE in unescape(page(client, unescape(link)))
