"""Who is let in: hosts, tokens, the login page."""

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request

from taskito import Queue
from taskito.exceptions import ConfigurationError
from taskito_dashboard import Dashboard, create_app
from taskito_dashboard.app import Application
from taskito_dashboard.security import (
    COOKIE,
    TRIES,
    TRIES_WITHIN,
    Guard,
    Proxy,
    Rules,
    Throttle,
    host_of,
    is_loopback,
)
from taskito_dashboard.source import Source

TOKEN = "correct horse battery staple"
OWN = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def locked(queue: Queue) -> Client:
    return Client(create_app(queue, token=TOKEN))


def answered(answer: TestResponse) -> Any:
    """What an answer says."""
    return answer.json


class TestHost:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "[::1]"])
    def test_every_loopback_name_is_served(self, client: Client, host: str) -> None:
        assert client.get("/api/stats", base_url=f"http://{host}:9000").status_code == 200

    @pytest.mark.parametrize(
        "host",
        ["example.com", "192.168.1.4", "0.0.0.0", "localhost.example.com", "127.0.0.1.example.com"],
    )
    def test_a_foreign_name_is_refused_before_anything_is_read(
        self, client: Client, host: str
    ) -> None:
        for path in ("/api/stats", "/", "/healthz", "/static/style.css"):
            response = client.get(path, base_url=f"http://{host}:8080")
            assert response.status_code == 403
        response = client.get("/api/stats", base_url=f"http://{host}:8080")
        assert response.json == {
            "error": f"host {host!r} is not a loopback name",
            "hint": "open the page as http://127.0.0.1 on the machine it runs on, or start it with "
            "--allowed-host",
        }

    @pytest.mark.parametrize(
        ("header", "name"),
        [("a:1", "a"), ("a", "a"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("", "")],
    )
    def test_the_port_is_no_part_of_the_name(self, header: str, name: str) -> None:
        assert host_of(header) == name

    @pytest.mark.parametrize("host", ["localhost:abc", "localhost:99999", "[::1]x", "localhost:"])
    def test_an_odd_port_is_no_accident(self, client: Client, host: str) -> None:
        for path in ("/", "/api/stats", "/jobs"):
            assert client.get(path, headers={"Host": host}).status_code in {200, 400, 403}

    def test_a_missing_host_is_foreign(self) -> None:
        assert not is_loopback("")


class TestOrigin:
    @pytest.mark.parametrize("headers", [{}, OWN, {"Origin": "http://LOCALHOST"}], ids=str)
    def test_programs_and_the_page_itself_may_write(
        self, client: Client, queue: Queue, headers: dict[str, str]
    ) -> None:
        assert client.post("/api/queues/a/pause", headers=headers).status_code == 200
        assert queue.paused_queues() == ["a"]

    def test_anybody_may_lead_here(self, client: Client) -> None:
        assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


class TestToken:
    def test_it_is_taken_as_a_bearer(self, locked: Client) -> None:
        for scheme in ("Bearer", "bearer"):
            headers = {"Authorization": f"{scheme} {TOKEN}"}
            assert locked.get("/api/stats", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": f"Bearer {TOKEN} "[:-2]},
            {"Cookie": f"{COOKIE}={TOKEN}"},
            {"Cookie": f"{COOKIE}="},
            {"Authorization": "Bearer é"},
        ],
        ids=str,
    )
    def test_anything_else_is_401(self, locked: Client, headers: dict[str, str]) -> None:
        response = locked.get("/api/stats", headers=headers)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.json is not None
        assert response.json["error"] == "a token is needed"

    def test_it_is_taken_from_the_environment_as_well(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TASKITO_DASHBOARD_TOKEN", TOKEN)
        client = Client(create_app(queue))

        assert client.get("/api/stats").status_code == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/api/stats", headers=headers).status_code == 200

    def test_nobody_learns_what_there_is(self, locked: Client) -> None:
        for path in ("/api/none", "/none", "/jobs/none"):
            assert locked.get(path).status_code == 401
        assert locked.post("/api/stats").status_code == 401

    def test_health_says_only_that_it_is_there(self, locked: Client) -> None:
        assert locked.get("/healthz").json == {"status": "ok"}

    @pytest.mark.parametrize("token", ["", " ", "é", "a\nb"])
    def test_one_that_cannot_be_sent_is_refused_at_the_start(
        self, queue: Queue, token: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"the token is empty or(.|\n)*hint: make one"):
            create_app(queue, token=token)


class TestLogin:
    def test_a_person_is_asked_for_it_and_comes_where_they_wanted(self, locked: Client) -> None:
        asked = locked.get("/jobs?status=dead")
        assert asked.status_code == 401
        assert 'action="/login"' in asked.text
        assert 'value="/jobs?status=dead"' in asked.text

        answer = locked.post(
            "/login", data={"token": TOKEN, "target": "/jobs?status=dead"}, headers=OWN
        )
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/jobs?status=dead"
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert locked.get("/jobs?status=dead").status_code == 200

        locked.post("/logout")
        assert locked.get("/jobs").status_code == 401

    @pytest.mark.parametrize(
        "target",
        ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\r\nb"],
    )
    def test_it_leads_to_no_other_site(self, locked: Client, target: str) -> None:
        answer = locked.post("/login", data={"token": TOKEN, "target": target})

        assert answer.headers["Location"] == "/"

    def test_a_cookie_of_another_token_is_worth_nothing(self, queue: Queue) -> None:
        one, other = (Client(create_app(queue, token=token)) for token in ("one", "other"))
        one.post("/login", data={"token": "one"})
        cookie = one.get_cookie(COOKIE)
        assert cookie is not None
        other.set_cookie(COOKIE, cookie.value)

        assert one.get("/").status_code == 200
        assert other.get("/").status_code == 401

    def test_an_encrypted_connection_has_a_cookie_of_its_own(self, locked: Client) -> None:
        answer = locked.post("/login", data={"token": TOKEN}, base_url="https://localhost")

        assert "Secure" in answer.headers["Set-Cookie"]


class TestTries:
    def test_after_five_wrong_ones_even_the_right_one_waits(self, locked: Client) -> None:
        for _ in range(TRIES):
            assert locked.post("/login", data={"token": "wrong"}).status_code == 401
        response = locked.post("/login", data={"token": TOKEN})

        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 60
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert locked.get("/api/stats", headers=bearer).status_code == 429

    def test_who_is_logged_in_is_not_locked_out(self, locked: Client) -> None:
        locked.post("/login", data={"token": TOKEN})
        for _ in range(TRIES + 1):
            locked.post("/login", data={"token": "wrong"})

        assert locked.get("/api/stats").status_code == 200

    def test_other_addresses_are_not_concerned(self, queue: Queue) -> None:
        client = Client(create_app(queue, token=TOKEN))
        for _ in range(TRIES):
            client.post(
                "/login", data={"token": "no"}, environ_overrides={"REMOTE_ADDR": "10.1.1.1"}
            )
        answer = client.post(
            "/login", data={"token": TOKEN}, environ_overrides={"REMOTE_ADDR": "10.1.1.2"}
        )

        assert answer.status_code == 303

    def test_the_window_moves(self) -> None:
        now = 0.0
        throttle = Throttle(lambda: now)
        for _ in range(TRIES):
            throttle.failed("a")
            now += 1

        assert throttle.wait("a") == TRIES_WITHIN - TRIES
        now = TRIES_WITHIN + 0.5
        assert throttle.wait("a") == 0
        throttle.failed("a")
        assert throttle.wait("a") == pytest.approx(0.5)


class TestAccess:
    """Who may look, who may act, and who is on record for it."""

    PAUSE = "/api/queues/default/pause"

    @staticmethod
    def client(queue: Queue, **rules: Any) -> Client:
        return Client(Application(Source(queue, decodes=True), Guard(Rules(**rules))))

    def test_one_token_acts_and_the_other_looks(self, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        client = Client(Dashboard(queue, token=TOKEN, viewer_token="look"))
        for token, status in ((TOKEN, 200), ("look", 403), ("none", 401)):
            headers = {"Authorization": f"Bearer {token}"}
            assert client.post(self.PAUSE, headers=headers).status_code == status
        seen = client.get("/queues", headers={"Authorization": "Bearer look"})
        assert seen.status_code == 200
        assert "Resume" not in seen.text
        refused = client.post(self.PAUSE, headers={"Authorization": "Bearer look"})
        assert refused.json == {
            "error": "you may look, but change nothing",
            "hint": "log in as somebody who may",
        }

    def test_each_has_a_session_of_their_own(self, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        pages = {}
        for token in (TOKEN, "look"):
            client = Client(Dashboard(queue, token=TOKEN, viewer_token="look"))
            assert client.post("/login", data={"token": token}).status_code == 303
            pages[token] = client.get("/queues").text
        assert "Pause</button>" in pages[TOKEN]
        assert "Pause</button>" not in pages["look"]

    def test_answers_are_not_shared_between_them(self, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        client = Client(Dashboard(queue, token=TOKEN, viewer_token="look"))
        texts = [
            client.get(
                "/queues", headers={"Authorization": f"Bearer {token}", "HX-Request": "true"}
            ).text
            for token in (TOKEN, "look", TOKEN)
        ]
        assert ["Pause</button>" in text for text in texts] == [True, False, True]

    def test_read_only_is_for_everybody(self, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        client = Client(Dashboard(queue, authorize=lambda _: "admin", read_only=True))
        assert client.post(self.PAUSE).status_code == 403
        assert "Pause</button>" not in client.get("/queues").text

    def test_an_application_decides_by_the_request(self, queue: Queue) -> None:
        def access(request: Request) -> Any:
            request.environ["REMOTE_USER"] = request.args["as"]
            return {"ann": "admin", "bob": "viewer"}.get(request.args["as"])

        client = Client(Dashboard(queue, authorize=access))
        place = {"base_url": "https://jobs.example.com"}
        for name, seen, done in (("ann", 200, 200), ("bob", 200, 403), ("eve", 403, 403)):
            assert client.get(f"/api/stats?as={name}", **place).status_code == seen
            assert client.post(f"{self.PAUSE}?as={name}", **place).status_code == done
        assert client.get("/healthz", **place).status_code == 200
        (deed,) = answered(client.get("/api/audit?as=bob", **place))
        assert (deed["who"], deed["deed"], deed["subject"]) == ("ann", "pause", "default")

    @pytest.mark.parametrize("said", [True, "yes", 1, ("admin",)])
    def test_nothing_else_that_it_says_admits(self, queue: Queue, said: Any) -> None:
        client = Client(Dashboard(queue, authorize=lambda _: said))
        assert client.get("/api/stats").status_code == 500

    def test_a_proxy_names_who_it_let_in(self, queue: Queue) -> None:
        proxy = Proxy("X-Forwarded-User", ["127.0.0.1"])
        client = self.client(queue, proxy=proxy, token=TOKEN)
        named = {"X-Forwarded-User": "ann"}
        near, far = ({"REMOTE_ADDR": address} for address in ("127.0.0.1", "10.0.0.9"))

        assert client.post(self.PAUSE, headers=named, environ_base=near).status_code == 200
        assert client.post(self.PAUSE, headers=named, environ_base=far).status_code == 401
        assert client.post(self.PAUSE, environ_base=near).status_code == 401
        assert client.post(self.PAUSE, headers={"X-Forwarded-User": " "}).status_code == 401
        (deed,) = answered(client.get("/api/audit", headers=named, environ_base=near))
        assert deed["who"] == "ann"

    def test_where_only_a_proxy_lets_in_there_is_nothing_to_log_in_to(self, queue: Queue) -> None:
        client = self.client(queue, proxy=Proxy("X-User", ["127.0.0.1"]))
        answer = client.get("/", environ_base={"REMOTE_ADDR": "127.0.0.1"})
        assert answer.status_code == 403
        assert 'type="password"' not in answer.text

    def test_another_name_is_served_where_it_is_allowed(self, queue: Queue) -> None:
        client = self.client(queue, hosts=["jobs.example.com"])
        for name, status in (
            ("jobs.example.com", 200),
            ("JOBS.example.com:8443", 200),
            ("localhost", 200),
            ("evil.example.com", 403),
        ):
            assert client.get("/api/stats", headers={"Host": name}).status_code == status

    @pytest.mark.parametrize(
        "rules",
        [
            {"token": "same", "viewer_token": "same"},
            {"viewer_token": ""},
            {"viewer_token": "é"},
            {"token": "a", "authorize": lambda _: "admin"},
        ],
        ids=["same", "empty", "odd", "both"],
    )
    def test_rules_that_cannot_be_meant(self, queue: Queue, rules: dict[str, Any]) -> None:
        with pytest.raises(ConfigurationError):
            Dashboard(queue, **rules)


class TestPolicy:
    def test_scripts_and_styles_come_from_the_package_alone(self, client: Client) -> None:
        policy = client.get("/").headers["Content-Security-Policy"].split("; ")

        assert policy == [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        ]
