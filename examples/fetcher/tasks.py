"""The queue and its one task, a coroutine."""

import hashlib

from examples.fetcher.client import get
from taskito import Queue, current_job

AT_ONCE = 100

# Its file is named by the environment variable TASKITO_DB_PATH. So many coroutines share
# the one event loop of a worker; they take none of the threads that run plain functions.
queue = Queue(async_concurrency=AT_ONCE)


@queue.task(timeout=60, retry_backoff=0.2)
async def fetch(url: str) -> str:
    """Fetch a document, saying how far it is, and return its checksum.

    When the job is cancelled or over its timeout, ``CancelledError`` is raised at the
    ``await`` where the coroutine waits, so ``get`` closes the connection.
    """
    digest = hashlib.sha256()
    received = 0
    async with get(url) as response:
        async for chunk in response.chunks():
            digest.update(chunk)
            received += len(chunk)
            current_job.update_progress(100 * received // response.length)
    return digest.hexdigest()
