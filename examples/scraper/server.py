"""Serves the made-up web on this machine, and keeps a record of every request."""

import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from examples.scraper.web import Trouble, Web, make

HOSTS = 2
SECONDS_BETWEEN_BYTES = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that a server got.

    Attributes:
        url: the page that was asked for.
        at: when, in seconds of the monotonic clock.
    """

    url: str
    at: float


class Site:
    """A web that is being served.

    Attributes:
        hosts: name and port of each of its servers.
        web: its pages.
        requests: what the servers were asked for, in the order of arrival.
    """

    def __init__(self, hosts: list[str], web: Web) -> None:
        self.hosts = hosts
        self.web = web
        self.requests: list[Request] = []
        self._times: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, url: str) -> bool:
        """Record a request; return whether it is the first one for this page."""
        with self._lock:
            self.requests.append(Request(url=url, at=time.monotonic()))
            self._times[url] += 1
            return self._times[url] == 1


class _Server(ThreadingHTTPServer):
    """One host; the site is told to it before it serves."""

    request_queue_size = 64
    site: Site


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with the page, or as its trouble says."""
        assert isinstance(self.server, _Server)
        site, (host, port) = self.server.site, self.server.server_address[:2]
        url = f"http://{host!s}:{port}{self.path}"
        first = site.note(url)
        leaf = site.web.leaves.get(url)
        if leaf is None:
            self._send(HTTPStatus.NOT_FOUND)
        elif leaf.trouble is Trouble.DOWN or (leaf.trouble is Trouble.BUSY and first):
            self._send(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._send(HTTPStatus.OK, leaf.html, slowly=leaf.trouble is Trouble.SLOW and first)

    def _send(self, status: HTTPStatus, text: str = "", *, slowly: bool = False) -> None:
        body = text.encode()
        with suppress(OSError):  # the other side has given up
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if slowly:
                for number in range(len(body)):
                    self.wfile.write(body[number : number + 1])
                    time.sleep(SECONDS_BETWEEN_BYTES)
            else:
                self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Say nothing: the site keeps the record."""


@contextmanager
def serving(pages: int, seed: int) -> Generator[Site]:
    """Make up a web and serve it on free ports until the end of the block."""
    with ExitStack() as stack:
        servers = [stack.enter_context(_Server(("127.0.0.1", 0), _Handler)) for _ in range(HOSTS)]
        hosts = [f"127.0.0.1:{server.server_address[1]}" for server in servers]
        site = Site(hosts, make(hosts, pages, seed))
        for server in servers:
            server.site = site
            threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
            stack.callback(server.shutdown)
        yield site
