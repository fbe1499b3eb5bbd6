"""Stands for the provider that delivers messages, and keeps a record of every request."""

import json
import threading
import time
from collections import Counter
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from examples.notifications.message import Message

SECONDS_EACH = 0.03
"""How long it takes to deliver one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request, as the provider saw it.

    Attributes:
        message: what was to be delivered.
        arrived: when the request was there, in seconds of the monotonic clock.
        left: when the answer was ready, just before it was sent.
        status: the answer: 200 if the message was delivered.
    """

    message: Message
    arrived: float
    left: float
    status: int


class Provider:
    """What is known about addresses, and what was asked for.

    Attributes:
        url: where it listens.
        deliveries: the record, in the order of the answers.

    Args:
        url: where it listens.
        bad: addresses that nobody has.
        flaky: the refs of messages whose first request is answered by 503.
    """

    def __init__(self, url: str, bad: Collection[str], flaky: Collection[str]) -> None:
        self.url = url
        self.deliveries: list[Delivery] = []
        self._bad = bad
        self._flaky = flaky
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()

    def deliver(self, message: Message) -> int:
        """Deliver a message, or not; the status of the answer."""
        arrived = time.monotonic()
        with self._lock:
            self._tries[message.ref] += 1
            first = self._tries[message.ref] == 1
        time.sleep(SECONDS_EACH)
        status = HTTPStatus.OK
        if message.address in self._bad:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        elif first and message.ref in self._flaky:
            status = HTTPStatus.SERVICE_UNAVAILABLE
        with self._lock:
            left = time.monotonic()
            self.deliveries.append(
                Delivery(message=message, arrived=arrived, left=left, status=status)
            )
        return status


class _Server(ThreadingHTTPServer):
    request_queue_size = 64
    provider: Provider


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take one message."""
        assert isinstance(self.server, _Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.provider.deliver(Message(**json.loads(body)))
        with suppress(OSError):  # the other side has given up
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Say nothing: the provider keeps the record."""


@contextmanager
def serving(bad: Collection[str], flaky: Collection[str]) -> Generator[Provider]:
    """Serve on a free port until the end of the block."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        server.provider = Provider(url, bad, flaky)
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        try:
            yield server.provider
        finally:
            server.shutdown()
