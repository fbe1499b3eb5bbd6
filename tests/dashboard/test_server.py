"""The dashboard as a process of its own, over real connections."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from taskito import Queue
from taskito.dashboard import _make_handler, serve_dashboard
from taskito.exceptions import ConfigurationError

PROGRAM = """
import sys
from taskito import Queue
from taskito_dashboard import serve_dashboard
serve_dashboard(Queue(sys.argv[1]), port=0)
"""
APP = """
from taskito import Queue
queue = Queue("jobs.db")

@queue.task(name="add")
def add(a, b):
    return a + b
"""
DEADLINE = 15
CLI = ("-m", "taskito", "dashboard", "--port", "0")


@contextmanager
def served(
    *argv: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Generator[tuple[str, "subprocess.Popen[str]"]]:
    """Run a program that serves the dashboard, and give its address."""
    with subprocess.Popen(
        [sys.executable, *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=env,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = re.search(r"http://(?:[\d.]+|\[::1\]):\d+", line)
            assert address, line
            if "--json" in argv:
                assert json.loads(line) == {"address": address[0]}
            yield address[0], process
        finally:
            process.kill()


def run(*argv: str) -> "subprocess.CompletedProcess[str]":
    """Run a program that serves nothing, to its end."""
    return subprocess.run(
        [sys.executable, *argv], capture_output=True, text=True, timeout=DEADLINE, check=False
    )


def ask(
    url: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> tuple[int, Any]:
    """Send one request; the status and the document or text that came back."""
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.status, _content(answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, _content(answer)


def _content(answer: Any) -> Any:
    text = answer.read().decode()
    return json.loads(text) if answer.headers.get_content_type() == "application/json" else text


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "jobs.db"
    with Queue(path) as queue:
        queue.enqueue("add", (1, 2))
    return path


class TestServe:
    def test_it_prints_its_address_answers_and_ends_on_ctrl_c(self, database: Path) -> None:
        with served("-c", PROGRAM, str(database)) as (address, process):
            assert ask(f"{address}/api/stats")[1]["pending"] == 1
            assert "taskito dashboard" in ask(address)[1]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=DEADLINE) == 0

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.com", "::"])
    def test_it_refuses_to_be_reached_from_elsewhere_by_everybody(
        self, tmp_path: Path, host: str
    ) -> None:
        with (
            Queue(tmp_path / "jobs.db") as queue,
            pytest.raises(ConfigurationError, match=r"is not loopback(.|\n)*hint: .*SSH tunnel"),
        ):
            serve_dashboard(queue, host=host)


class TestCommand:
    def test_a_file_is_enough_and_nothing_of_it_is_decoded(self, database: Path) -> None:
        with served(*CLI, "--db", str(database)) as (address, process):
            (job,) = ask(f"{address}/api/jobs")[1]
            assert ask(f"{address}/api/jobs/{job['id']}")[1]["args"] is None
            assert "not decoded" in ask(f"{address}/system")[1]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=DEADLINE) in {0, 130}

    def test_a_program_decodes_its_own(self, database: Path) -> None:
        (database.parent / "shop.py").write_text(APP)
        with served(*CLI, "--app", "shop:queue", cwd=database.parent) as (address, _):
            (job,) = ask(f"{address}/api/jobs")[1]
            assert ask(f"{address}/api/jobs/{job['id']}")[1]["args"] == "[1, 2]"

    def test_read_only(self, database: Path) -> None:
        with served(*CLI, "--db", str(database), "--read-only") as (address, _):
            assert ask(f"{address}/api/queues/default/pause", "POST")[0] == 403
            assert ask(f"{address}/api/queues")[0] == 200

    @pytest.mark.parametrize("place", ["option", "variable"])
    def test_with_a_token_others_may_reach_it_by_any_name(
        self, database: Path, place: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        options = ["--token", "s3cret"] if place == "option" else []
        if place == "variable":
            monkeypatch.setenv("TASKITO_DASHBOARD_TOKEN", "s3cret")
        argv = (*CLI, "--db", str(database), "--host", "0.0.0.0", *options)
        with served(*argv) as (address, _):
            url = address.replace("0.0.0.0", "127.0.0.1") + "/api/stats"
            named = {"Host": "jobs.example.com"}
            assert ask(url, headers=named)[0] == 401
            assert ask(url, headers={**named, "Authorization": "Bearer s3cret"})[0] == 200

    def test_on_loopback_a_token_does_not_admit_foreign_names(self, database: Path) -> None:
        with served(*CLI, "--db", str(database), "--token", "s3cret") as (address, _):
            headers = {"Host": "evil.example", "Authorization": "Bearer s3cret"}
            assert ask(f"{address}/api/stats", headers=headers)[0] == 403

    def test_a_proxy_logs_people_in_and_some_may_only_look(
        self, database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TASKITO_DASHBOARD_VIEWER_TOKEN", "look")
        trust = ("--trust-header", "X-User", "--trusted-proxy", "127.0.0.1")
        argv = (*CLI, "--db", str(database), *trust, "--allowed-host", "Jobs.example.com")
        with served(*argv) as (address, _):
            url, named = f"{address}/api/queues/default/pause", {"Host": "jobs.example.com"}
            assert ask(url, "POST", headers={**named, "X-User": "ann"})[0] == 200
            assert ask(url, "POST", headers={**named, "Authorization": "Bearer look"})[0] == 403
            assert ask(url, "POST", headers=named)[0] == 401
            assert ask(url, "POST", headers={"Host": "a.example", "X-User": "ann"})[0] == 403

    def test_a_header_that_anybody_may_send_is_no_login(self, database: Path) -> None:
        refused = run(*CLI, "--db", str(database), "--trust-header", "X-User")
        assert refused.returncode == 1
        assert "Error: --trust-header and --trusted-proxy say nothing without" in refused.stderr
        assert "hint: a header that anybody may send names nobody" in refused.stderr

    def test_behind_a_proxy_the_name_that_it_passes_on_is_allowed(self, database: Path) -> None:
        options = ("--db", str(database), "--allowed-host", "Jobs.Example.com")
        with served(*CLI, *options, "--prefix", "/admin/jobs/") as (address, _):
            for host, status in (("jobs.example.com", 200), ("evil.example", 403)):
                for path in ("/admin/jobs/api/stats", "/api/stats"):  # kept, and stripped
                    assert ask(f"{address}{path}", headers={"Host": host})[0] == status
            status, text = ask(f"{address}/admin/jobs/")
            assert status == 200
            assert 'href="/admin/jobs/jobs"' in text

    @pytest.mark.parametrize("prefix", ["jobs", "//evil.example", "/a b", "/a?b", "/é"])
    def test_a_prefix_that_is_no_path_is_a_usage_error(self, database: Path, prefix: str) -> None:
        done = run(*CLI, "--db", str(database), f"--prefix={prefix}")
        assert done.returncode == 2
        assert f"not a path: '{prefix}'" in done.stderr

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_ends_at_once_with_connections_open(
        self, database: Path, number: signal.Signals
    ) -> None:
        with served(*CLI, "--db", str(database)) as (address, process):
            host, _, port = address.removeprefix("http://").partition(":")
            idle = [HTTPConnection(host, int(port), timeout=DEADLINE) for _ in range(10)]
            for connection in idle:
                connection.request("GET", "/healthz")
                assert connection.getresponse().read()
            with socket.create_connection((host, int(port))) as half:
                half.sendall(b"GET / HTTP/1.1\r\nHost: 127.")
                process.send_signal(number)
                process.wait(DEADLINE)
            for connection in idle:
                connection.close()
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()

    def test_without_one_only_who_insists(self, database: Path) -> None:
        argv = (*CLI, "--db", str(database), "--host", "0.0.0.0")
        refused = run(*argv)
        assert refused.returncode == 1
        assert "Error: host '0.0.0.0' is not loopback" in refused.stderr
        assert "hint: set TASKITO_DASHBOARD_TOKEN" in refused.stderr
        with served(*argv, "--insecure") as (address, _):
            assert "There is no token" in ask(address.replace("0.0.0.0", "127.0.0.1"))[1]

    def test_for_a_program_the_address_is_json(self, database: Path) -> None:
        with served(*CLI, "--db", str(database), "--json") as (address, _):
            assert "There is no token" not in ask(address)[1]

    @pytest.mark.parametrize("port", ["-1", "65536", "http"])
    def test_a_port_that_is_none_is_a_usage_error(self, database: Path, port: str) -> None:
        done = run("-m", "taskito", "dashboard", "--db", str(database), f"--port={port}")
        assert done.returncode == 2
        assert f"not a port: '{port}'" in done.stderr


class TestConnections:
    @pytest.fixture(scope="class")
    @classmethod
    def address(cls, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[str, int]]:
        path = tmp_path_factory.mktemp("served") / "jobs.db"
        with Queue(path) as queue:
            queue.enqueue("add", queue="a/b %?#é<script>")
        with served("-c", PROGRAM, str(path)) as (url, _):
            host, _, port = url.removeprefix("http://").partition(":")
            yield host, int(port)

    def test_names_with_any_character_arrive(self, address: tuple[str, int]) -> None:
        base = "http://{}:{}".format(*address)
        name = quote("a/b %?#é<script>", safe="")

        assert ask(f"{base}/api/queues/{name}/pause", "POST") == (200, {"paused": True})
        status, text = ask(f"{base}/queues/{name}")
        assert status == 200
        assert "a/b %?#é&lt;script&gt;" in text
        assert ask(f"{base}/api/queues/{name}/resume", "POST") == (200, {"paused": False})

    def test_one_connection_serves_many_requests(self, address: tuple[str, int]) -> None:
        connection = HTTPConnection(*address, timeout=DEADLINE)
        etag = ""
        for path, method, status in [
            ("/", "HEAD", 200),
            ("/api/none", "GET", 404),
            ("/api/stats", "PATCH", 405),
            ("/api/jobs/cancel", "POST", 400),
            ("/api/stats", "GET", 200),
            ("/api/stats", "GET", 304),
            ("/api/stats", "GET", 200),
        ]:
            headers = {"If-None-Match": etag} if status == 304 else {}
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            assert not answer.will_close, path
            body = answer.read()
            etag = answer.headers.get("ETag", "")
            assert answer.status == status, path
            assert (body == b"") == (method == "HEAD" or status == 304), path
        connection.close()

    @pytest.mark.parametrize(
        "request_line",
        [
            b"GET /%ff%fe HTTP/1.1",
            b"GET /api/jobs?limit=%ff HTTP/1.1",
            b"GET /api/jobs/%00 HTTP/1.1",
            b"GET /jobs/%ed%a0%80 HTTP/1.1",
            b"GET //evil.example/ HTTP/1.1",
            b"POST /jobs/%0d%0aSet-Cookie:x/replay HTTP/1.1",
            b"GET /theme?set=dark&back=/%0d%0aX:y HTTP/1.1",
            b"GET /find?q=%00%ff HTTP/1.1",
        ],
    )
    def test_odd_requests_get_an_answer(
        self, address: tuple[str, int], request_line: bytes
    ) -> None:
        with socket.create_connection(address, timeout=DEADLINE) as connection:
            connection.sendall(
                request_line + b"\r\nHost: localhost\r\nContent-Length: 0\r\n"
                b"Connection: close\r\n\r\n"
            )
            answer = b""
            while data := connection.recv(65536):
                answer += data
        head = answer.partition(b"\r\n\r\n")[0]
        assert re.match(rb"HTTP/1\.1 (200|303|400|404|405) ", head), head
        assert b"Set-Cookie:x" not in head
        assert b"\nX:y" not in head


class TestHandler:
    """What programs and test suites written for taskito 0.2 use."""

    @pytest.fixture
    def address(self, queue: Queue) -> Generator[str]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(queue))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def test_it_serves_the_dashboard(
        self, address: str, queue: Queue, work: Callable[[], None]
    ) -> None:
        job = queue.enqueue("add", (1, 2))
        work()

        assert ask(f"{address}/api/stats") == (200, queue.stats())
        assert ask(f"{address}/api/jobs/{job.id}")[1]["result"] == "3"
        assert ask(f"{address}/api/jobs?status=complete&limit=1")[1] == [job.to_dict()]
        status, text = ask(address)
        assert status == 200
        assert "<!DOCTYPE html>" in text
        assert "taskito dashboard" in text

    def test_it_takes_bodies(self, address: str, queue: Queue) -> None:
        job = queue.enqueue("add", delay=3600)
        body = json.dumps({"ids": [job.id]}).encode()

        assert ask(f"{address}/api/jobs/cancel", "POST", body=body) == (200, {"cancelled": 1})
        assert ask(f"{address}/api/dead-letters/none", "DELETE")[0] == 404
        assert ask(f"{address}/api/queues/a/limits", "PUT", body=b"{")[0] == 400
