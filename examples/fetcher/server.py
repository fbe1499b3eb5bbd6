"""Serves the documents on this machine, and counts how many requests it has at once."""

import asyncio
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass

from examples.fetcher.documents import SECONDS_BETWEEN_PIECES, Document

STARTING_S = 10.0
ENDING_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a server has counted.

    Attributes:
        requests: how many requests it got.
        peak: how many of them it had at once, at most.
        unfinished: how many of them it has now.
        broken_off: paths of the documents whose client went away before the end.
    """

    requests: int
    peak: int
    unfinished: int
    broken_off: tuple[str, ...]


class Server:
    """A server in a thread of its own, with an event loop of its own; made by :func:`serving`.

    Attributes:
        address: name and port.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self.address = ""
        self._requests = 0
        self._peak = 0
        self._broken_off: list[str] = []
        self._documents = {document.path: document for document in documents}
        self._at_once = 0
        self._idle = threading.Event()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Start the thread; returns when the address is known."""
        threading.Thread(target=lambda: self._loop.run_until_complete(self._serve())).start()
        self._ready.wait(STARTING_S)

    def stop(self) -> None:
        """Have the thread end."""
        self._loop.call_soon_threadsafe(self._stop.set)

    def tally(self) -> Tally:
        """Wait a moment for the end of all requests, and return what was counted."""
        self._idle.wait(ENDING_S)
        return Tally(
            requests=self._requests,
            peak=self._peak,
            unfinished=self._at_once,
            broken_off=tuple(self._broken_off),
        )

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=1000)
        async with server:
            host, port = server.sockets[0].getsockname()
            self.address = f"{host}:{port}"
            self._ready.set()
            await self._stop.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self._requests += 1
        self._at_once += 1
        self._idle.clear()
        self._peak = max(self._peak, self._at_once)
        try:
            await self._send(self._documents[path], reader, writer)
        except ConnectionError:
            self._broken_off.append(path)
        finally:
            self._at_once -= 1
            if not self._at_once:
                self._idle.set()
            writer.close()

    async def _send(
        self, document: Document, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await asyncio.sleep(document.latency_s)
        writer.write(f"HTTP/1.0 200 OK\r\nContent-Length: {document.length}\r\n\r\n".encode())
        writer.write(document.piece)
        gone = asyncio.ensure_future(reader.read())
        for _ in range(document.pieces - 1):
            if (await asyncio.wait([gone], timeout=SECONDS_BETWEEN_PIECES))[0]:
                raise ConnectionResetError
            writer.write(document.piece)
        gone.cancel()


@contextmanager
def serving(documents: Iterable[Document]) -> Generator[Server]:
    """Serve the documents on a free port until the end of the block."""
    server = Server(documents)
    server.start()
    try:
        yield server
    finally:
        server.stop()
