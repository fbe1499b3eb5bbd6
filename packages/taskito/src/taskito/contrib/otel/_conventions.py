"""Names and attributes of the semantic conventions for messaging, and our own beside them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskito._sending import SendCall, Sent
    from taskito.context import Details, JobContext

ERROR_TYPE = "error.type"
_SYSTEM = "messaging.system"
_OPERATION_NAME = "messaging.operation.name"
_OPERATION_TYPE = "messaging.operation.type"
_DESTINATION = "messaging.destination.name"
_MESSAGE_ID = "messaging.message.id"
_CONVERSATION = "messaging.message.conversation_id"
_CLIENT = "messaging.client.id"
_BATCH = "messaging.batch.message_count"


def named(operation: str, queue: str | None) -> str:
    """Return the name of a span; jobs of one call may go to several queues."""
    return operation if queue is None else f"{operation} {queue}"


def measured(operation: str, queue: str | None, task: str | None) -> dict[str, str]:
    """Return what metrics know of an operation: few values, never an id."""
    facts = {_SYSTEM: "taskito", _OPERATION_NAME: operation}
    if queue is not None:
        facts[_DESTINATION] = queue
    if task is not None:
        facts["taskito.task_name"] = task
    return facts


def send_attributes(call: "SendCall") -> dict[str, str]:
    """Return what is known before a call stores jobs, for samplers to decide by."""
    facts = {**measured("send", call.queue, call.task_name), _OPERATION_TYPE: "send"}
    if call.queue is not None:
        facts["taskito.queue"] = call.queue
    return facts


def sent_attributes(
    call: "SendCall", sent: "Sequence[Sent]", queue: str | None
) -> dict[str, str | int | bool]:
    """Return what is known after it."""
    facts: dict[str, str | int | bool] = {}
    if queue is not None:
        facts |= {_DESTINATION: queue, "taskito.queue": queue}
    if call.is_batch:
        facts[_BATCH] = len(sent)
        return facts
    for job in sent:
        facts |= {_MESSAGE_ID: job.job_id, "taskito.job_id": job.job_id}
        if job.deduplicated:
            facts["taskito.deduplicated"] = True
    return facts


def process_attributes(ctx: "JobContext", details: "Details") -> dict[str, str | int]:
    """Return what is known when an attempt begins."""
    facts: dict[str, str | int] = {
        **measured("process", ctx.queue_name, ctx.task_name),
        _OPERATION_TYPE: "process",
        _MESSAGE_ID: ctx.id,
        "taskito.job_id": ctx.id,
        "taskito.queue": ctx.queue_name,
        "taskito.retry_count": ctx.retry_count,
    }
    if details.workflow_id is not None:
        facts[_CONVERSATION] = details.workflow_id
    if details.worker_id is not None:
        facts[_CLIENT] = details.worker_id
    return facts


def error_type(error: BaseException) -> str:
    """Return the full name of an exception's class."""
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"
