"""An application with everything in it that might keep a worker awake, and nothing to do."""

import os

from taskito import Queue

queue = Queue(os.environ["SITE_DATABASE"], workers=4, result_ttl=3600)


@queue.task(name="plain")
def plain() -> str:
    return "done"


@queue.task(name="coroutine")
async def coroutine() -> str:
    return "done"


@queue.periodic("@yearly", name="yearly")
def yearly() -> None:
    """Is not due while anybody looks."""
