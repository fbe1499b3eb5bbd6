"""The application that is soaked: one queue, and a task for each kind of load.

``SOAK_HOME`` names the folder of the database and of the record of start latencies.
"""

import asyncio
import os
import struct
import time
from pathlib import Path

from taskito import Queue, current_job

HOME = Path(os.environ["SOAK_HOME"])
RETENTION = 15
"""Seconds that finished jobs are kept."""
LATENCY = struct.Struct("=d")

queue = Queue(HOME / "jobs.db", workers=4, result_ttl=RETENTION, drain_timeout=10)
latencies = os.open(HOME / "latencies", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


@queue.task(name="brief")
def brief(sent: float) -> None:
    """Note how long it took from the call of ``delay`` to here."""
    os.write(latencies, LATENCY.pack(time.monotonic() - sent))


@queue.task(name="long")
def long(seconds: float) -> None:
    time.sleep(seconds)
    current_job.update_progress(50)
    current_job.log("half of it", extra={"seconds": seconds})
    time.sleep(seconds)


@queue.task(name="fail", max_retries=0)
def fail() -> None:
    raise ValueError("as it should")


@queue.task(name="retry", retry_backoff=0.2)
def retry() -> str:
    if current_job.retry_count < 2:
        raise OSError("not yet")
    return "x" * 2000


@queue.task(name="wait")
async def wait(seconds: float) -> None:
    await asyncio.sleep(seconds)


@queue.task(name="limited", rate_limit="20/s", max_concurrent=2)
def limited() -> None:
    time.sleep(0.005)


@queue.task(name="step")
def step(number: int) -> int:
    return number + 1


@queue.periodic(every=1, name="every_second")
def every_second() -> None:
    pass
