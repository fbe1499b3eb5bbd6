"""What each route does. Everything that reads or writes the database runs in a thread."""

import asyncio
import dataclasses
import json
import math
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from taskito.contrib.fastapi._json import json_safe
from taskito.contrib.fastapi._shutdown import shutdown_here
from taskito.contrib.fastapi._watch import Facts, Watch
from taskito.exceptions import JobNotFoundError, SerializationError, TaskitoError
from taskito.job import JobResult
from taskito.queue import Queue

Status: TypeAlias = Literal[
    "pending", "running", "complete", "completed", "failed", "dead", "cancelled"
]
Instant: TypeAlias = Annotated[int | None, Query(ge=0, le=2**53, description="ms since the epoch")]
Offset: TypeAlias = Annotated[int, Query(ge=0, le=2**31 - 1)]

_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class Endpoints:
    """The routes of one queue, each a method by the name of its route."""

    def __init__(self, queue: Queue, *, strict: bool) -> None:
        """Answer for ``queue``; if ``strict``, what cannot be cancelled is an error."""
        self._queue = queue
        self._strict = strict
        self._watch = Watch(queue)

    async def stats(self) -> dict[str, int]:
        """Count the jobs by status."""
        return await self._queue.astats()

    async def list_jobs(  # noqa: PLR0913 - the documented filters
        self,
        response: Response,
        *,
        status: Status | None = None,
        queue: str | None = None,
        task_name: str | None = None,
        task: Annotated[str | None, Query(description="the same as task_name")] = None,
        created_after: Instant = None,
        created_before: Instant = None,
        metadata: Annotated[str | None, Query(description="text it contains")] = None,
        error: Annotated[str | None, Query(description="text it contains")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Offset = 0,
        cursor: str | None = None,
    ) -> list[dict[str, Any]]:
        """List jobs, newest first. The header ``X-Next-Cursor`` leads to the next page."""

        def read() -> tuple[list[dict[str, Any]], str | None]:
            page = self._queue.list_jobs(
                status,
                queue,
                task_name or task,
                limit,
                offset,
                created_after=created_after,
                created_before=created_before,
                metadata=metadata,
                error=error,
                cursor=cursor,
            )
            return [job.to_dict() for job in page], page.next_cursor

        try:
            jobs, following = await asyncio.to_thread(read)
        except ValueError as refusal:  # a cursor that is none, or comes with an offset
            raise HTTPException(422, str(refusal)) from refusal
        if following is not None:
            response.headers["X-Next-Cursor"] = following
        return jobs

    async def get_job(self, job_id: str) -> dict[str, Any]:
        """Show one job."""

        def read() -> dict[str, Any] | None:
            job = self._queue.get_job(job_id)
            return None if job is None else job.to_dict()

        if (found := await asyncio.to_thread(read)) is None:
            raise _not_found()
        return found

    async def job_errors(self, job_id: str) -> list[dict[str, Any]]:
        """List the failed and lost attempts of a job, oldest first."""
        return await self._queue.ajob_errors(job_id)

    async def job_logs(self, job_id: str) -> list[dict[str, Any]]:
        """List what a job has logged, oldest first."""
        return await self._queue.atask_logs(job_id)

    async def job_why(self, job_id: str) -> dict[str, Any]:
        """Say why a job does not run."""
        try:
            return dataclasses.asdict(await self._queue.awhy(job_id))
        except JobNotFoundError:
            raise _not_found() from None

    async def job_result(
        self,
        job_id: str,
        request: Request,
        timeout: Annotated[float, Query(ge=0, le=300, description="seconds")] = 0,  # noqa: ASYNC109 - of the request
    ) -> dict[str, Any]:
        """Show what a job returned; wait so long for its end, then show how it stands.

        Waiting takes no thread, and ends early when the client goes or the server stops.
        """
        if math.isnan(timeout):  # between 0 and 300 for some versions of pydantic
            raise HTTPException(422, "timeout must be a number of seconds")
        job = await self._queue.aget_job(job_id)
        if job is None:
            raise _not_found()
        if timeout:
            await _wait(job, timeout, request)
        if (found := await asyncio.to_thread(self._result, job_id)) is None:
            raise _not_found()
        return found

    def _result(self, job_id: str) -> dict[str, Any] | None:
        job = self._queue.get_job(job_id)
        if job is None:
            return None
        facts = job.to_dict()
        result, error = None, facts["error"]
        if facts["status"] == "complete":
            try:
                result = json_safe(job.result(0))
            except JobNotFoundError:
                return None
            except SerializationError as failure:
                error = str(failure)
        return {"id": job_id, "status": facts["status"], "result": result, "error": error}

    async def job_progress(self, job_id: str) -> StreamingResponse:
        """Follow a job: an event at once, at each change, and every half second."""
        facts = await asyncio.to_thread(self._watch.facts, job_id)
        if facts is None:
            raise _not_found()
        events = self._events(job_id, facts)
        return StreamingResponse(events, media_type="text/event-stream", headers=_STREAM_HEADERS)

    async def _events(self, job_id: str, facts: Facts) -> AsyncIterator[str]:
        async for known in self._watch.follow(job_id, facts):
            if known is None:
                event: dict[str, Any] = {"status": "not_found"}
            else:
                event = {"status": known[0], "progress": known[1]}
            yield f"data: {json.dumps(event)}\n\n"

    async def cancel_job(self, job_id: str) -> dict[str, bool]:
        """Cancel a pending job."""
        cancelled = await self._queue.acancel_job(job_id)
        if not cancelled and self._strict:
            facts = await asyncio.to_thread(self._watch.facts, job_id)
            if facts is None:
                raise _not_found()
            raise HTTPException(409, f"Job is not pending but {facts[0]}")
        return {"cancelled": cancelled}

    async def dead_letters(
        self, limit: Annotated[int, Query(ge=1, le=100)] = 20, offset: Offset = 0
    ) -> list[dict[str, Any]]:
        """List dead letters, newest first."""
        return await self._queue.adead_letters(limit, offset)

    async def retry_dead_letter(self, dead_id: str) -> dict[str, str]:
        """Enqueue the job of a dead letter again."""
        try:
            return {"new_job_id": await self._queue.aretry_dead(dead_id)}
        except JobNotFoundError:
            raise HTTPException(404, "Dead letter not found") from None

    async def delete_dead_letter(self, dead_id: str) -> dict[str, bool]:
        """Delete a dead letter; its job stays dead."""
        if not await self._queue.adelete_dead(dead_id):
            raise HTTPException(404, "Dead letter not found")
        return {"deleted": True}

    async def queues(self) -> list[dict[str, Any]]:
        """List the queues by name."""
        return await self._queue.alist_queues()

    async def healthz(self, response: Response) -> dict[str, str]:
        """Say whether the database can be read."""
        try:
            await self._queue.astats()
        except TaskitoError:
            response.status_code = 503
            return {"status": "unavailable"}
        return {"status": "ok"}


def _not_found() -> HTTPException:
    return HTTPException(404, "Job not found")


async def _wait(job: JobResult[Any], seconds: float, request: Request) -> None:
    """Wait for the end of a job, unless the client goes or the server stops before."""
    stopping = asyncio.Event()
    with shutdown_here().heard(stopping):
        ended = asyncio.create_task(job.await_(seconds))
        others: list[Coroutine[Any, Any, object]] = [stopping.wait(), _gone(request)]
        tasks = [ended, *map(asyncio.create_task, others)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if ended.done() and not ended.cancelled():
            ended.result()  # what it raised is the answer


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
