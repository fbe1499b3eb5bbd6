"""What surrounds the life of an application, and the Queue as a dependency."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, TypeAlias

from fastapi import Depends
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from taskito.contrib.fastapi._shutdown import shutdown_here
from taskito.exceptions import ConfigurationError
from taskito.queue import Queue

Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Any]]
"""What ``FastAPI(lifespan=...)`` takes."""


def taskito_lifespan(queue: Queue, *others: Lifespan, run_worker: bool = False) -> Lifespan:
    """Return a lifespan that opens the database of a Queue and releases it at the end.

    An application whose database cannot be used does not start. At the end open progress
    streams and waiting requests are let go, and the files are released; the application may
    be started again, as tests do. :func:`get_queue` gives the queue to endpoints.

    Args:
        queue: Opened first and released last.
        *others: Further lifespans, entered in this order; what they yield is merged.
        run_worker: Also run a worker in a thread, for development: every process of the
            server runs one. It takes no signals; at the end it gets the Queue's
            ``drain_timeout`` to finish its jobs.

    Returns:
        A lifespan, for ``FastAPI(lifespan=...)``. It raises :class:`taskito.StorageError`
        at the start if the database cannot be used.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[dict[str, Any] | None]:
        shutdown = shutdown_here()
        shutdown.reset()
        await queue.astats()
        app.state.taskito_queue = queue
        worker = asyncio.create_task(queue.arun_worker()) if run_worker else None
        try:
            async with AsyncExitStack() as stack:
                yield await _entered(stack, others, app)
        finally:
            shutdown.begin()
            if worker is not None:
                worker.cancel()  # drains
                await asyncio.wait([worker])
            await asyncio.to_thread(_release, queue)

    return lifespan


def _release(queue: Queue) -> None:
    """Release the files of a queue, unless a worker that somebody started here uses them."""
    if not queue._workers:  # noqa: SLF001 - of our own package
        queue._database.release()  # noqa: SLF001 - likewise


async def _entered(
    stack: AsyncExitStack, lifespans: tuple[Lifespan, ...], app: Starlette
) -> dict[str, Any] | None:
    """Enter lifespans and merge their states; ``None`` if there are none."""
    merged: dict[str, Any] | None = None
    for enter in lifespans:
        state: Mapping[str, Any] | None = await stack.enter_async_context(enter(app))
        if state is not None:
            merged = {**(merged or {}), **state}
    return merged


async def get_queue(connection: HTTPConnection) -> Queue:
    """Return the Queue of the application; for ``Depends``, see :data:`QueueDep`.

    It is the one of :func:`taskito_lifespan`, or what ``app.state.taskito_queue`` was set to,
    as in an application that is mounted, whose lifespan no server runs.

    Raises:
        ConfigurationError: If the application has none.
    """
    queue = getattr(connection.app.state, "taskito_queue", None)
    if not isinstance(queue, Queue):
        message = "this application has no taskito queue"
        hint = "use FastAPI(lifespan=taskito_lifespan(queue)), or set app.state.taskito_queue"
        raise ConfigurationError(message, hint=hint)
    return queue


QueueDep = Annotated[Queue, Depends(get_queue)]
"""Annotates a parameter of an endpoint that is to be the Queue of the application."""
