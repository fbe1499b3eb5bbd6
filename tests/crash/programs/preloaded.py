"""A WSGI application that has used its queue before the server forks its workers."""

import os
from collections.abc import Callable, Iterable

from tests.e2e.programs.workshop import marks, note

first = note.delay("before the fork")
marks.leave("ack", "before the fork", first.id)


def application(
    environ: dict[str, str], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Enqueue one job for a request and answer with the process and the job."""
    token = environ["PATH_INFO"].strip("/")
    job = note.delay(token)
    marks.leave("ack", token, job.id)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {job.id}".encode()]
