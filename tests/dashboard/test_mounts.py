"""The same dashboard in four places, each a real server, asked over real connections."""

import re
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from taskito import Queue
from tests.support.processes import STARTING, Program
from tests.support.until import until

NAME = "a/b c%d"
DISPATCHER = """
import sys
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from taskito import Queue
from taskito_dashboard import create_app

queue = Queue({database!r})
queue.stats()  # open before any fork
app = Flask(__name__)
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {{"/admin/jobs": create_app(queue)}})
"""
FASTAPI = """
from fastapi import FastAPI
from taskito import Queue
from taskito_dashboard.asgi import create_asgi_app

app = FastAPI()
app.mount("/admin/jobs", create_asgi_app(Queue({database!r})))
"""
DJANGO = """
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import re_path

settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
)
django.setup()

from taskito import Queue
from taskito_dashboard.django import dashboard_view

queue = Queue({database!r})
roles = {{"boss": "admin", "guest": "viewer"}}
view = dashboard_view(queue, authorize=lambda request: roles.get(request.headers.get("X-User")))
urlpatterns = [re_path(r"^admin/jobs(?P<path>/.*)?$", view)]
app = get_wsgi_application()
"""
GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2")
PLACES = {
    "alone": ("", "", ("-m", "taskito", "dashboard", "--port", "0", "--db", "{database}")),
    "flask": ("/admin/jobs", DISPATCHER, (*GUNICORN, "site_:app")),
    "preload": ("/admin/jobs", DISPATCHER, (*GUNICORN, "--preload", "site_:app")),
    "fastapi": ("/admin/jobs", FASTAPI, ("-m", "uvicorn", "--port", "0", "site_:app")),
    "django": ("/admin/jobs", DJANGO, (*GUNICORN, "site_:app")),
}


class Site:
    """A running server and where its dashboard is."""

    def __init__(self, client: httpx.Client, prefix: str) -> None:
        self._client = client
        self.prefix = prefix

    def ask(self, path: str, method: str = "GET", **given: object) -> httpx.Response:
        """One request below the prefix; redirects are not followed."""
        return self._client.request(method, f"{self.prefix}{path}", **given)  # type: ignore[arg-type]

    def page(self, path: str) -> str:
        answer = self.ask(path)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["Content-Type"].startswith("text/html")
        return answer.text


@pytest.fixture(params=PLACES)
def site(request: pytest.FixtureRequest, tmp_path: Path, queue: Queue) -> Iterator[Site]:
    queue.enqueue("add", (1, 2), queue=NAME)
    prefix, source, argv = PLACES[request.param]
    database = str(tmp_path / "jobs.db")
    (tmp_path / "site_.py").write_text(source.format(database=database))
    program = Program(
        [sys.executable, *(part.format(database=database) for part in argv)],
        env={"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        folder=tmp_path / "server",
    )

    def address() -> str:
        assert program.is_running(), program.report()
        found = re.search(r"http://127\.0\.0\.1:[1-9]\d*", program.out + program.err)
        return found[0] if found else ""

    try:
        with httpx.Client(
            base_url=until(address, within=2 * STARTING),
            timeout=4 * STARTING,
            headers={"X-User": "boss"},
        ) as client:
            yield Site(client, prefix)
    finally:
        program.kill()


def _unchanged(site: Site, etag: str) -> httpx.Response | None:
    answer = site.ask("/jobs", headers={"If-None-Match": etag})
    return answer if answer.status_code == 304 else None


@pytest.mark.timeout(150)
def test_everything_honours_the_prefix(site: Site, queue: Queue) -> None:
    overview = site.page("/")
    links = {unescape(found) for found in re.findall(r'(?:href|action|src)="([^"]*)"', overview)}
    inside = {link for link in links if link.startswith("/")}
    assert len(inside) > 10
    assert all(link.startswith(f"{site.prefix}/") for link in inside), inside

    # Every page of the navigation, every file, and names with any character.
    for link in sorted(inside):
        if not re.search(r"/find$|/theme|/zone|/times|/columns", link):
            assert site.ask(link.removeprefix(site.prefix)).status_code == 200, link
    name = quote(NAME, safe="")
    assert NAME in site.page(f"/queues/{name}")
    assert site.ask("/api/stats").json()["pending"] == 1
    servers = site.ask("/api/v1/openapi.json").json()["servers"]
    assert servers == [{"url": f"{site.prefix}/api/v1"}]

    # Nothing changed, nothing sent; of several processes each knows its own tags.
    etag = site.ask("/jobs").headers["ETag"]
    same = until(lambda: _unchanged(site, etag), within=STARTING)
    assert same is not None
    assert same.content == b""

    # Forms lead back, and cookies stay below the prefix.
    origin = str(site._client.base_url).rstrip("/")
    paused = site.ask(f"/queues/{name}/pause", "POST", headers={"Origin": origin})
    assert paused.status_code == 303, paused.text
    assert paused.headers["Location"].startswith(f"{site.prefix}/queues?did=paused&n=1&of=")
    assert queue.paused_queues() == [NAME]
    themed = site.ask("/theme?set=dark")
    assert themed.headers["Location"] == f"{site.prefix}/"
    assert f"path={site.prefix}/" in themed.headers["Set-Cookie"].lower()
    assert 'data-theme="dark"' in site.page("/")
    foreign = site.ask(f"/queues/{name}/resume", "POST", headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert queue.paused_queues() == [NAME]
    assert site.ask("/api/nothing").json()["error"]
    bare = site.ask("")
    assert bare.status_code in {200, 301, 302, 303, 307, 308}


@pytest.mark.timeout(150)
@pytest.mark.parametrize("site", ["django"], indirect=True)
def test_in_django_the_project_says_who_sees_and_who_acts(site: Site, queue: Queue) -> None:
    name = quote(NAME, safe="")
    for user, sees, acts in [("boss", 200, 303), ("guest", 200, 403), ("nobody", 403, 403)]:
        assert site.ask("/", headers={"X-User": user}).status_code == sees
        paused = site.ask(f"/queues/{name}/pause", "POST", headers={"X-User": user})
        assert paused.status_code == acts
    assert queue.paused_queues() == [NAME]
