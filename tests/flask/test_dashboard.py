"""The page of ``taskito-dashboard`` inside an application."""

import importlib.util
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask, redirect, request, session
from flask import Response as FlaskResponse
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

import taskito_flask
from taskito_flask import Taskito
from tests.flask.support import make_app, queue_of

needs_page = pytest.mark.skipif(
    importlib.util.find_spec("taskito_dashboard") is None,
    reason="taskito-dashboard is not installed: it needs a newer Werkzeug",
)


class Page:
    """In the place of the real page: answers with what it was asked."""

    def __init__(self, queue: object) -> None:
        self.queue = queue
        self.authorize: Callable[[Request], object] | None = None
        self.asked: list[WSGIEnvironment] = []

    @property
    def access(self) -> list[object]:
        """What each request may do, as the page is told."""
        assert self.authorize is not None
        return [self.authorize(Request(environ)) for environ in self.asked]

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.asked.append(environ)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start("200 OK", [("Content-Type", "text/plain"), ("X-Page", "1")])
        return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} ".encode(), body]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """The page that the next ``mount_dashboard`` finds."""
    page = Page(None)

    class Module:
        @staticmethod
        def Dashboard(queue: object, *, authorize: Callable[[Request], object] | None) -> Page:  # noqa: N802
            page.queue, page.authorize = queue, authorize
            return page

    monkeypatch.setitem(sys.modules, "taskito_dashboard", Module)
    return page


@needs_page
class TestRealPage:
    def test_it_shows_the_queue_of_the_app(self, app: Flask, taskito: Taskito) -> None:
        taskito.mount_dashboard(app, authorize=lambda: True)
        taskito.queue.enqueue("any")
        client = app.test_client()

        assert client.get("/taskito/api/stats").json == taskito.queue.stats()
        html = client.get("/taskito/", base_url="https://jobs.example.com")
        assert html.status_code == 200
        assert "<!DOCTYPE html>" in html.text
        assert "Content-Security-Policy" in html.headers

    def test_who_may_look_may_not_act_and_who_acts_is_on_record(
        self, app: Flask, taskito: Taskito
    ) -> None:
        def access() -> Any:
            request.environ["REMOTE_USER"] = request.args["as"]
            return {"ann": "admin", "bob": "viewer"}[request.args["as"]]

        taskito.mount_dashboard(app, authorize=access)
        taskito.queue.enqueue("any")
        client = app.test_client()
        place = "/taskito/api/queues/default/pause?as="
        origin = {"base_url": "https://jobs.example.com"}

        headers = {"Origin": "https://jobs.example.com"}
        assert client.post(f"{place}bob", headers=headers, **origin).status_code == 403
        assert client.post(f"{place}ann", headers=headers, **origin).status_code == 200
        foreign = {"Origin": "https://evil.example"}
        assert client.post(f"{place}ann", headers=foreign, **origin).status_code == 403
        assert "Resume" in client.get("/taskito/queues?as=ann").text
        assert "Resume" not in client.get("/taskito/queues?as=bob").text
        deeds: Any = client.get("/taskito/api/audit?as=bob").json
        (deed,) = deeds
        assert (deed["who"], deed["deed"]) == ("ann", "pause")

    def test_it_is_there_in_debug_mode(self, app: Flask, taskito: Taskito) -> None:
        taskito.mount_dashboard(app)
        app.debug = True

        assert app.test_client().get("/taskito/").status_code == 200


class TestMount:
    def test_requests_below_the_prefix_reach_the_page(self, app: Flask, page: Page) -> None:
        taskito_flask.mount_dashboard(app, "/admin/jobs", authorize=lambda: True)
        client = app.test_client()

        answer = client.post("/admin/jobs/api/jobs/1/cancel?why=not", data=b"body")
        assert answer.text == "POST /api/jobs/1/cancel body"
        assert answer.headers["X-Page"] == "1"
        assert page.asked[0]["SCRIPT_NAME"] == "/admin/jobs"
        assert page.asked[0]["QUERY_STRING"] == "why=not"
        assert page.queue is queue_of(app)
        assert client.get("/admin/jobs/").text == "GET / "
        assert client.get("/admin/jobs").headers["Location"].endswith("/admin/jobs/")
        assert client.get("/admin").status_code == 404

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
    def test_every_method_is_for_the_page_to_answer(
        self, app: Flask, page: Page, method: str
    ) -> None:
        taskito_flask.mount_dashboard(app, authorize=lambda: True)

        assert app.test_client().open("/taskito/x", method=method).headers["X-Page"] == "1"
        assert page.asked[0]["REQUEST_METHOD"] == method

    def test_an_app_that_is_mounted_itself_adds_to_its_own_place(
        self, app: Flask, page: Page
    ) -> None:
        taskito_flask.mount_dashboard(app, authorize=lambda: True)
        whole = DispatcherMiddleware(Response("not here", status=404), {"/shop": app.wsgi_app})

        assert Client(whole).get("/shop/taskito/api/stats").text == "GET /api/stats "
        assert page.asked[0]["SCRIPT_NAME"] == "/shop/taskito"

    def test_the_request_of_the_app_is_left_alone(self, app: Flask, page: Page) -> None:
        after: list[str] = []
        taskito_flask.mount_dashboard(app, authorize=lambda: True)

        @app.after_request
        def note(response: FlaskResponse) -> FlaskResponse:
            after.append(request.path)
            return response

        app.test_client().get("/taskito/x")

        assert after == ["/taskito/x"]
        assert page.asked[0]["PATH_INFO"] == "/x"


class TestAuthorize:
    def test_without_it_debug_mode_decides_at_every_request(self, app: Flask, page: Page) -> None:
        taskito_flask.mount_dashboard(app)
        client = app.test_client()

        for app.debug, status in ((False, 403), (True, 200), (False, 403)):
            assert client.get("/taskito/").status_code == status
        assert len(page.asked) == 1

    def test_without_it_the_page_knows_the_name_it_was_asked_by(
        self, app: Flask, page: Page
    ) -> None:
        taskito_flask.mount_dashboard(app)
        app.debug = True
        app.test_client().get("/taskito/", base_url="http://rebound.example")

        assert page.asked[0]["HTTP_HOST"] == "rebound.example"

    @pytest.mark.parametrize(
        ("verdict", "status"),
        [
            (lambda: True, 200),
            (lambda: False, 403),
            (lambda: None, 403),
            (lambda: "", 403),
            (lambda: redirect("/login"), 302),
            (lambda: Response("later", status=503), 503),
        ],
        ids=["True", "False", "None", "empty", "redirect", "response"],
    )
    def test_only_true_admits(
        self, app: Flask, page: Page, verdict: Callable[[], Any], status: int
    ) -> None:
        app.debug = True
        taskito_flask.mount_dashboard(app, authorize=verdict)

        assert app.test_client().get("/taskito/api/jobs").status_code == status
        assert page.access == ["admin"] * (status == 200)

    def test_some_may_only_look(self, app: Flask, page: Page) -> None:
        def access() -> Any:
            return request.args["as"]

        taskito_flask.mount_dashboard(app, authorize=access)
        for name in ("admin", "viewer"):
            app.test_client().get(f"/taskito/?as={name}")

        assert page.access == ["admin", "viewer"]

    @pytest.mark.parametrize("verdict", ["ann", 1, ("no", 403)])
    def test_what_is_merely_true_is_an_error(self, app: Flask, page: Page, verdict: object) -> None:
        app.testing = True
        wrong: Callable[[], Any] = lambda: verdict  # noqa: E731
        taskito_flask.mount_dashboard(app, authorize=wrong)

        with pytest.raises(TypeError, match=r"must return True, False, 'admin'(.|\n)*bool"):
            app.test_client().get("/taskito/")
        assert page.asked == []

    def test_it_knows_who_is_logged_in(self, app: Flask, page: Page) -> None:
        app.secret_key = "secret"

        @app.post("/login")
        def login() -> str:
            session["user"] = request.form["user"]
            return "hello"

        taskito_flask.mount_dashboard(app, authorize=lambda: session.get("user") == "ann")
        client = app.test_client()

        assert client.get("/taskito/").status_code == 403
        client.post("/login", data={"user": "bob"})
        assert client.get("/taskito/").status_code == 403
        client.post("/login", data={"user": "ann"})
        assert client.get("/taskito/").status_code == 200
        assert len(page.asked) == 1


class TestSetting:
    def test_it_mounts_the_page(self, tmp_path: Path, page: Page) -> None:
        app = make_app(
            tmp_path,
            TASKITO_DASHBOARD={
                "url_prefix": "/jobs",
                "authorize": "tests.flask.test_dashboard:may_see",
            },
        )
        Taskito(app)
        client = app.test_client()

        assert client.get("/jobs/?name=ann").status_code == 200
        assert client.get("/jobs/?name=bob").status_code == 403
        assert len(page.asked) == 1

    def test_without_authorize_it_is_there_in_debug_mode(self, tmp_path: Path, page: Page) -> None:
        app = make_app(tmp_path, TASKITO_DASHBOARD={})
        Taskito(app)

        assert app.test_client().get("/taskito/").status_code == 403
        assert page.asked == []


def may_see() -> bool:
    return request.args["name"] == "ann"


class TestMistakes:
    def test_the_page_is_a_package_of_its_own(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "taskito_dashboard", None)

        with pytest.raises(ImportError, match=r"hint: pip install 'taskito\[dashboard\]'"):
            taskito_flask.mount_dashboard(app)

    def test_an_app_without_a_queue(self) -> None:
        with pytest.raises(RuntimeError, match=r"'bare' has no queue(.|\n)*hint: call init_app"):
            taskito_flask.mount_dashboard(Flask("bare"))

    @pytest.mark.usefixtures("page")
    def test_twice(self, app: Flask) -> None:
        taskito_flask.mount_dashboard(app)

        with pytest.raises(RuntimeError, match=r"already has the(.|\n)*hint: mount it once"):
            taskito_flask.mount_dashboard(app, "/again")

    @pytest.mark.usefixtures("page")
    @pytest.mark.parametrize("prefix", ["", "/", "taskito", "/taskito/"])
    def test_a_prefix_that_cannot_be(self, app: Flask, prefix: str) -> None:
        with pytest.raises(ValueError, match=r"must begin with '/'(.|\n)*hint: write '/taskito'"):
            taskito_flask.mount_dashboard(app, prefix)
