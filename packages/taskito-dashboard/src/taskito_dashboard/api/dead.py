"""Dead letters as documents, and what can be done with them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from taskito.exceptions import JobNotFoundError
from taskito_dashboard.api.jobs import PAGING, SELECTION, listed
from taskito_dashboard.errors import Refused, not_found
from taskito_dashboard.params import Param, document, plain, selection
from taskito_dashboard.routing import Call, reads, writes

if TYPE_CHECKING:
    from taskito_dashboard.source import Source

FILTERS = (Param("task"), Param("queue"))
_OLDER_THAN = Param("older_than", "seconds", 0)
_PURGE = {
    "type": "object",
    "properties": {
        "older_than": _OLDER_THAN.schema(),
        "task": {"type": ["string", "null"]},
        "queue": {"type": ["string", "null"]},
    },
}


def list_letters(call: Call) -> Response:
    """Jobs that will not be tried again, newest first."""
    given = call.query()
    given["task_name"] = given.pop("task")
    page = call.queue.dead_letters(**given)
    return listed(list(page), page.next_cursor)


def retry(call: Call) -> dict[str, str]:
    """Store the job of a dead letter again and remove the letter."""
    return {"new_job_id": call.queue.retry_dead(call.names["id"])}


def delete(call: Call) -> dict[str, bool]:
    """Remove a dead letter; the job stays dead."""
    letter = call.names["id"]
    if not call.queue.delete_dead(letter):
        raise not_found(f"dead letter not found: {letter}", "see /api/dead-letters")
    return {"deleted": True}


def purge(call: Call) -> dict[str, int]:
    """Remove the dead letters that are older than so many seconds."""
    body = document(call.request)
    params = (_OLDER_THAN, *FILTERS)
    unknown = body.keys() - {param.name for param in params}
    if unknown:
        known = ", ".join(param.name for param in params)
        raise Refused(400, f"the body has {', '.join(sorted(unknown))}", f"its keys are {known}")
    given = call.query()
    for param in params:
        value = body.get(param.name)
        if value is not None:
            given[param.name] = param.read(plain(param.name, value))
    removed = call.queue.purge_dead(
        given["older_than"], task_name=given["task"], queue=given["queue"]
    )
    return {"purged": removed}


def retry_many(call: Call) -> dict[str, list[str]]:
    """Store the jobs of many dead letters again."""
    meant = selection(document(call.request), FILTERS)
    if meant.ids is not None:
        return {"new_job_ids": retried(call.source, meant.ids)}
    task, queue = meant.filter.get("task"), meant.filter.get("queue")
    return {"new_job_ids": call.queue.retry_all_dead(task, queue)}


def delete_many(call: Call) -> dict[str, int]:
    """Remove many dead letters; their jobs stay dead."""
    meant = selection(document(call.request), FILTERS)
    if meant.ids is not None:
        return {"deleted": deleted(call.source, meant.ids)}
    task, queue = meant.filter.get("task"), meant.filter.get("queue")
    return {"deleted": call.queue.purge_dead(0, task_name=task, queue=queue)}


def retried(source: "Source", ids: Iterable[str]) -> list[str]:
    """Retry dead letters and return the ids of the new jobs; what is gone is passed over."""
    new: list[str] = []
    for letter in ids:
        try:
            new.append(source.queue.retry_dead(letter))
        except JobNotFoundError:
            continue
    return new


def deleted(source: "Source", ids: Iterable[str]) -> int:
    """Remove dead letters and return how many there were."""
    return sum(source.queue.delete_dead(letter) for letter in ids)


ROUTES = (
    reads("/api/dead-letters", list_letters, *FILTERS, *PAGING),
    writes("POST", "/api/dead-letters/purge", purge, _OLDER_THAN, *FILTERS, body=_PURGE),
    writes("POST", "/api/dead-letters/retry", retry_many, body=SELECTION),
    writes("POST", "/api/dead-letters/delete", delete_many, body=SELECTION),
    writes("POST", "/api/dead-letters/<id>/retry", retry),
    writes("DELETE", "/api/dead-letters/<id>", delete),
)
