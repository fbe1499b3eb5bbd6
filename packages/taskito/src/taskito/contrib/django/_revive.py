"""A finished job once more, whatever became of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskito.queue import Queue

_PAGE = 200


def retry(queue: "Queue", job_id: str) -> str | None:
    """Store a finished job again: by its dead letter if it has one, else as a copy.

    Returns:
        Id of the new job; ``None`` if the job has not ended, or there is none.
    """
    job = queue.get_job(job_id)
    if job is None or job.status not in {"complete", "cancelled", "dead"}:
        return None
    letter = _letter_of(queue, job_id, job.task_name, job.queue) if job.status == "dead" else None
    return queue.replay(job_id).id if letter is None else queue.retry_dead(letter)


def _letter_of(queue: "Queue", job_id: str, task_name: str, queue_name: str) -> str | None:
    cursor = None
    while True:
        page = queue.dead_letters(_PAGE, task_name=task_name, queue=queue_name, cursor=cursor)
        for letter in page:
            if letter["original_job_id"] == job_id:
                return str(letter["id"])
        cursor = page.next_cursor
        if cursor is None:
            return None
