"""A form for a call of a task, empty or with the arguments of a job."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from werkzeug.wrappers import Response

from taskito._previews import HIDDEN, Previews
from taskito_dashboard.api.tasks import task_of
from taskito_dashboard.errors import Refused, translated
from taskito_dashboard.forms import Field, call_of, fields_of, filled, unreadable
from taskito_dashboard.pages.frame import page
from taskito_dashboard.params import Param, content
from taskito_dashboard.routing import Call, Route, acts, moved

_PATH = "/tasks/<name:name>/enqueue"
_JOB = Param("job")
_ANY = Field(name="", place=None, default=None, takes_none=True)
OPTIONS = (
    replace(_ANY, name="queue", kind="text", is_none=True),
    replace(_ANY, name="priority", kind="whole", is_none=True),
    replace(_ANY, name="delay", kind="number", is_none=True),
)
"""What a call can be told besides its arguments."""
_ANY_PREVIEW = Previews((), {})


def ask(call: Call) -> Response:
    """A form for a call of a task."""
    task = task_of(call)
    fields, options = fields_of(task.definition.function), list(OPTIONS)
    job = call.query()["job"]
    if job:
        fields, options = _as_before(call, job, fields)
    return _form(call, fields, options)


def enqueue(call: Call) -> Response:
    """Store a job as the form says, and show it."""
    content(call.request)
    task, form = task_of(call), call.request.form
    fields = [_typed(field, "arg", form) for field in fields_of(task.definition.function)]
    args, kwargs, fields = call_of(fields)
    _, chosen, options = call_of([_typed(field, "opt", form) for field in OPTIONS])
    if any(field.error for field in (*fields, *options)):
        return _form(call, fields, options, code=400)
    try:
        job = task.apply_async(args, kwargs, **chosen)
    except (TypeError, ValueError) as error:
        refusal = translated(error)
        if refusal is None or refusal.status != 400:  # noqa: PLR2004 - a defect, or the database
            raise
        return _form(call, fields, options, refusal=refusal, code=400)
    return moved(call.url("jobs", job.id, did="triggered", n=1))


def _form(
    call: Call,
    fields: Sequence[Field],
    options: Sequence[Field],
    *,
    refusal: Refused | None = None,
    code: int = 200,
) -> Response:
    task = task_of(call)
    settings = task.definition.options
    usual = {"queue": settings.queue, "priority": settings.priority, "delay": 0}
    return page(
        call,
        "enqueue.html",
        "tasks",
        f"Enqueue {task.name}",
        task=task.name,
        arguments=fields,
        options=options,
        usual=usual,
        refusal=refusal,
        wrong=sum(bool(field.error) for field in (*fields, *options)),
        code=code,
    )


def _typed(field: Field, group: str, form: Mapping[str, str]) -> Field:
    """Return a field with what was written in it."""
    key = f"{group}.{field.name}"
    text = form.get(key)
    if text is None:
        return field
    return field.typed(
        text,
        empty_is_none=group == "opt" or f"{key}.none" in form,
        must_be_written=f"{key}.must" in form,
    )


def _as_before(call: Call, job_id: str, fields: list[Field]) -> tuple[list[Field], list[Field]]:
    """Return the fields of the call and of its options as they were for a job.

    Raises:
        Refused: With 400, for a job of another task.
    """
    row, name = call.source.job(job_id), call.names["name"]
    if row.task != name:
        raise Refused(400, f"job {row.id} is of task {row.task!r}", f"take one of task {name!r}")
    given: dict[str, Any] = {"queue": row.queue, "priority": row.priority, "delay": None}
    options = [field.holding(given[field.name]) or field for field in OPTIONS]
    arguments = call.source.arguments(row)
    if arguments is None:
        return unreadable(fields, "the arguments of the job cannot be read"), options
    previews = call.queue._previews  # noqa: SLF001 - of our own packages

    def is_hidden(argument: str, value: object) -> bool:
        """Whether the preview of the job shows it otherwise than it is."""
        plain = _ANY_PREVIEW.arguments(name, (), {argument: value})
        shown = previews.arguments(name, (), {argument: value})
        is_masked = previews.empty is not None and shown != plain
        return plain is None or HIDDEN in plain or is_masked

    return filled(fields, *arguments, is_hidden), options


ROUTES = (
    # Who may not enqueue need not see what jobs were called with.
    Route(
        method="GET",
        path=_PATH,
        handler=ask,
        role="admin",
        kind="page",
        query=(_JOB,),
        is_timed=True,
        summary="A form for a call of a task",
    ),
    acts(_PATH, enqueue),
)
