"""As much HTTP as the example needs. In a program of yours this is httpx or aiohttp."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

OK = 200
CHUNK_BYTES = 1 << 16


class FetchError(Exception):
    """The server did not send what was asked for."""


class Response:
    """An answer whose body is still on its way.

    Attributes:
        length: bytes of the body.
    """

    def __init__(self, length: int, reader: asyncio.StreamReader) -> None:
        self.length = length
        self._reader = reader

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces, as they arrive."""
        missing = self.length
        while missing:
            chunk = await self._reader.read(min(missing, CHUNK_BYTES))
            if not chunk:
                raise FetchError(f"the connection ended {missing} bytes too early")
            missing -= len(chunk)
            yield chunk


@asynccontextmanager
async def get(url: str) -> AsyncGenerator[Response]:
    """Ask for a document; the connection is closed at the end of the block, however it ends."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        status = int(head[0].split()[1])
        if status != OK:
            raise FetchError(f"{url} answers {status}")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        yield Response(int(headers["content-length"]), reader)
    finally:
        writer.close()
