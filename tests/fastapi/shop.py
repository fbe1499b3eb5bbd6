"""An application as people write them, for servers in processes of their own.

``SITE_DATABASE`` names its database. With ``SHOP_WORKER`` each process also runs a worker, and
with ``SHOP_BARE`` there is no lifespan.
"""

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response

from taskito import Queue, current_job
from taskito.contrib.fastapi import JobRef, QueueDep, TaskitoRouter, taskito_lifespan

queue = Queue(os.environ["SITE_DATABASE"], workers=2, durability="normal", drain_timeout=5)


@queue.task(name="add")
def add(a: int, b: int) -> int:
    return a + b


@queue.task(name="report")
def report(gate: str) -> str:
    """Half done until the gate is opened, as a file that is removed."""
    current_job.update_progress(50)
    while Path(gate).exists():
        time.sleep(0.01)
    return "done"


if os.environ.get("SHOP_WORKER"):

    @queue.periodic(every=1, name="tick")
    def tick() -> None: ...


# Used while this module is imported: by the parent of all processes, if it preloads.
IMPORTED_BY = queue.enqueue("imported", metadata=str(os.getpid())).id

if os.environ.get("SHOP_BARE"):
    app = FastAPI()
    app.state.taskito_queue = queue
else:
    app = FastAPI(lifespan=taskito_lifespan(queue, run_worker=bool(os.environ.get("SHOP_WORKER"))))
app.include_router(TaskitoRouter(queue), prefix="/tasks")


@app.post("/orders", status_code=202)
async def order(a: int, b: int, shop: QueueDep, request: Request, response: Response) -> JobRef:
    job = await shop.aenqueue("add", (a, b))
    response.headers["Location"] = str(request.url_for("taskito_get_job", job_id=job.id))
    return JobRef.of(job)


@app.get("/ping")
async def ping() -> dict[str, Any]:
    """Answer without the queue, and say what this process is busy with."""
    return {
        "pid": os.getpid(),
        "threads": [thread.name for thread in threading.enumerate()],
        "tasks": [task.get_name() for task in asyncio.all_tasks()],
    }
