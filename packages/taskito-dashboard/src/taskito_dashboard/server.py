"""The dashboard on a server of its own."""

import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import IO, TYPE_CHECKING, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler
from wsgiref.types import WSGIApplication

import waitress.server
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from taskito.exceptions import ConfigurationError
from taskito_dashboard.app import Application
from taskito_dashboard.entry import create_app
from taskito_dashboard.params import MOST_BYTES
from taskito_dashboard.security import (
    TOKEN_VARIABLE,
    VIEWER_TOKEN_VARIABLE,
    Guard,
    Rules,
    is_loopback,
    token_of,
)
from taskito_dashboard.source import Source

if TYPE_CHECKING:
    from waitress.parser import HTTPRequestParser

    from taskito import Queue

THREADS = 8


def serve_dashboard(
    queue: "Queue",
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    token: str | None = None,
    read_only: bool = False,
) -> None:
    """Serve the dashboard of one queue, and block until Ctrl+C.

    Prints the address once the server accepts connections. On a loopback address only
    requests for a loopback name are served, so that no other site can point its own name
    here.

    Args:
        queue: what to show. Arguments and results are decoded with its serializer.
        host: a name or address of this machine. One that others can reach needs a token.
        port: TCP port; 0 lets the system choose one.
        token: what requests must carry; without it ``TASKITO_DASHBOARD_TOKEN`` counts. One in
            ``TASKITO_DASHBOARD_VIEWER_TOKEN`` lets people look.
        read_only: refuse whatever would change something.

    Raises:
        ConfigurationError: the host is not loopback and there is no token, or the token
            cannot be sent in a header.
        OSError: the port cannot be opened.
    """
    rules = Rules(
        token=token_of(token),
        viewer_token=token_of(None, VIEWER_TOKEN_VARIABLE),
        read_only=read_only,
    )
    serve(Source(queue, decodes=True), host, port, rules)


def serve(  # noqa: PLR0913 - what, where, for whom, and three wishes
    source: Source,
    host: str,
    port: int,
    rules: Rules,
    *,
    insecure: bool = False,
    prefix: str = "",
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve a dashboard, and block until Ctrl+C; see :func:`serve_dashboard`.

    Args:
        source: what to show.
        host: where to listen.
        port: TCP port; 0 lets the system choose one.
        rules: who is let in. Only on loopback do the names count that it allows; another address
            is served under any name.
        insecure: listen on another address without a login as well.
        prefix: the path below which a proxy serves it, whether the proxy strips that or not.
        announce: what is told the address, instead of stdout.
    """
    is_local = is_loopback(host)
    if not (is_local or rules.has_login or insecure):
        raise ConfigurationError(
            f"host {host!r} is not loopback, and whoever reaches it could do everything",
            hint=f"set {TOKEN_VARIABLE} or token=, or serve on 127.0.0.1 and reach it through "
            f"an SSH tunnel: ssh -L {port}:127.0.0.1:{port} MACHINE",
        )
    # A page that waits for a thread for a moment is not worth a line each time.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    guard = Guard(rules if is_local else replace(rules, hosts=None))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        made = waitress.server.create_server(
            Application(source, guard),
            sockets=[listener],
            ident=None,
            threads=THREADS,
            url_prefix=prefix,
            # Larger ones than we take are told so in JSON, huge ones not even read.
            max_request_body_size=8 * MOST_BYTES,
        )
        # Of several sockets it would make several servers.
        server = cast("waitress.server.BaseWSGIServer", made)
        server.channel_class = _Channel
        name = f"[{host}]" if family == socket.AF_INET6 else host
        address = f"http://{name}:{listener.getsockname()[1]}"
        if announce is None:
            print(started(address), flush=True)  # noqa: T201 - the contract
        else:
            announce(address)
        server.run()


class _Task(WSGITask):
    """An answer. Waitress itself ends the connection after each that has no body, as 304."""

    def set_close_on_finish(self) -> None:
        """End the connection, unless both sides know where this answer ends."""
        request = cast("HTTPRequestParser", self.request)
        wishes = request.headers.get("CONNECTION", "").lower()
        if self.has_body or self.version != "1.1" or wishes == "close":
            super().set_close_on_finish()


class _Channel(HTTPChannel):
    task_class = _Task


def started(address: str) -> str:
    """Return what is printed once the server accepts connections."""
    return f"taskito dashboard on {address} (Ctrl+C to stop)"


def make_handler(queue: "Queue") -> type[BaseHTTPRequestHandler]:
    """Return the dashboard as a handler class for ``http.server.ThreadingHTTPServer``.

    For programs and test suites written for taskito 0.2.
    """
    app = create_app(queue)

    class Handler(WSGIRequestHandler):
        """Answers each request through the WSGI application."""

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Stay silent."""

        def setup(self) -> None:
            """Tell a server that knows nothing of WSGI what requests say of it."""
            super().setup()
            host, port, *_ = self.connection.getsockname()
            known = {"SERVER_NAME": host, "SERVER_PORT": str(port), "SCRIPT_NAME": ""}
            self.server.base_environ = known  # type: ignore[attr-defined]

        def handle(self) -> None:
            """Answer one request."""
            self.raw_requestline = self.rfile.readline(65537)
            if self.parse_request():
                _run(app, self)

    return Handler


def _run(app: WSGIApplication, handler: WSGIRequestHandler) -> None:
    runner = ServerHandler(
        cast("IO[bytes]", handler.rfile),
        cast("IO[bytes]", handler.wfile),
        handler.get_stderr(),
        handler.get_environ(),
        multithread=True,
    )
    runner.request_handler = handler  # type: ignore[attr-defined]
    runner.run(app)
