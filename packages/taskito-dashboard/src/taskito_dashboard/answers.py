"""The JSON Schemas of what the API answers, by method and path."""

from collections.abc import Mapping
from typing import Any

from taskito_dashboard.rollups import COLUMNS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
WHOLE: Schema = {"type": "integer"}
WHOLE_OR_NULL: Schema = {"type": ["integer", "null"]}
NUMBER: Schema = {"type": "number"}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
TRUTH: Schema = {"type": "boolean"}
STATUS: Schema = {"enum": ["pending", "running", "complete", "dead", "cancelled"]}
TEXTS: Schema = {"type": "array", "items": TEXT}


def thing(**properties: Schema) -> Schema:
    """Return the schema of an object that has all these keys, and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(item: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": item}


_COUNTS = dict.fromkeys(("pending", "running", "completed", "failed", "dead", "cancelled"), WHOLE)
_ATTEMPT = thing(id=TEXT, job_id=TEXT, attempt=WHOLE, error=TEXT, failed_at=WHOLE)
_TRY = thing(
    attempt=WHOLE,
    outcome={"enum": ["failed", "lost", "running", "completed", "cancelled"]},
    claimed_at=WHOLE,
    started_at=WHOLE_OR_NULL,
    finished_at=WHOLE_OR_NULL,
    error=TEXT_OR_NULL,
)
_JOB = {
    "id": TEXT,
    "queue": TEXT,
    "task_name": TEXT,
    "status": STATUS,
    "priority": WHOLE,
    "progress": WHOLE_OR_NULL,
    "retry_count": WHOLE,
    "max_retries": WHOLE,
    "created_at": WHOLE,
    "scheduled_at": WHOLE,
    "started_at": WHOLE_OR_NULL,
    "completed_at": WHOLE_OR_NULL,
    "error": TEXT_OR_NULL,
    "timeout_ms": WHOLE,
    "unique_key": TEXT_OR_NULL,
    "metadata": TEXT_OR_NULL,
}
_WHOLE_JOB = {
    **_JOB,
    "errors": list_of(_ATTEMPT),
    "dependencies": TEXTS,
    "dependents": TEXTS,
    "result": TEXT_OR_NULL,
    "args": TEXT_OR_NULL,
    "kwargs": TEXT_OR_NULL,
    "headers": {"type": "object"},
    "limit_key": TEXT_OR_NULL,
    "idempotency_key": TEXT_OR_NULL,
    "workflow_id": TEXT_OR_NULL,
    "worker_id": TEXT_OR_NULL,
}
_LOG = thing(
    id=TEXT,
    job_id=TEXT,
    task_name=TEXT,
    level=TEXT,
    message=TEXT,
    extra=TEXT_OR_NULL,
    logged_at=WHOLE,
)
_GROUP = {
    **dict.fromkeys(("fingerprint", "task_name", "error_type", "template", "location"), TEXT),
    **dict.fromkeys(("first_seen", "last_seen", "dead", "retrying"), WHOLE),
    "state": {"enum": ["open", "silenced", "resolved"]},
}
_LETTER = thing(
    id=TEXT,
    original_job_id=TEXT,
    queue=TEXT,
    task_name=TEXT,
    error=TEXT,
    retry_count=WHOLE,
    failed_at=WHOLE,
    metadata=TEXT_OR_NULL,
)
_REPLAY = thing(
    id=TEXT,
    original_job_id=TEXT,
    replay_job_id=TEXT,
    replayed_at=WHOLE,
    original_error=TEXT_OR_NULL,
    replay_error=TEXT_OR_NULL,
)
_REASON = thing(code=TEXT, message=TEXT, until=WHOLE_OR_NULL, details={"type": "object"})
_WHY = thing(
    job_id=TEXT,
    status=STATUS,
    ready=TRUTH,
    reasons=list_of(_REASON),
)
_QUEUE = thing(
    name=TEXT,
    paused=TRUTH,
    rate_limit=TEXT_OR_NULL,
    max_concurrent=WHOLE_OR_NULL,
    oldest_due_at=WHOLE_OR_NULL,
    workers=WHOLE,
    **_COUNTS,
)
_METRICS = thing(
    count=WHOLE,
    success_count=WHOLE,
    failure_count=WHOLE,
    avg_ms=NUMBER,
    p50_ms=NUMBER,
    p95_ms=NUMBER,
    p99_ms=NUMBER,
    min_ms=NUMBER,
    max_ms=NUMBER,
)
_BREAKER = thing(
    task_name=TEXT,
    state={"enum": ["closed", "open", "half_open"]},
    failure_count=WHOLE,
    last_failure_at=WHOLE_OR_NULL,
    opened_at=WHOLE_OR_NULL,
    threshold=WHOLE,
    window_ms=WHOLE,
    cooldown_ms=WHOLE,
)
_WORKER = thing(
    worker_id=TEXT,
    last_heartbeat=WHOLE,
    queues=TEXTS,
    status={"enum": ["active", "draining", "stale"]},
    hostname=TEXT,
    pid=WHOLE,
    started_at=WHOLE,
    tasks=TEXTS,
    concurrency=WHOLE,
    running=WHOLE,
    abandoned=WHOLE,
    version=TEXT,
)
_RUNNING = thing(
    job_id=TEXT,
    task_name=TEXT,
    queue=TEXT,
    retry_count=WHOLE,
    progress=WHOLE_OR_NULL,
    timeout_ms=WHOLE,
    worker_id=TEXT,
    since=WHOLE,
    preview=TEXT_OR_NULL,
)
_SCHEDULE = {
    "type": "object",
    "required": ["name", "task_name", "enabled", "next_run", "last_run"],
    "properties": {
        "name": TEXT,
        "task_name": TEXT,
        "enabled": TRUTH,
        "active": TRUTH,
        "cron_expr": TEXT_OR_NULL,
        "every": NUMBER_OR_NULL,
        "timezone": TEXT,
        "next_run": WHOLE_OR_NULL,
        "last_run": WHOLE_OR_NULL,
        "last_job_id": TEXT_OR_NULL,
    },
}
_WORKFLOW = {
    "id": TEXT,
    "name": TEXT,
    "status": STATUS,
    "jobs": WHOLE,
    "counts": thing(complete=WHOLE, running=WHOLE, pending=WHOLE, dead=WHOLE, cancelled=WHOLE),
    "enqueued_at": WHOLE,
    "started_at": WHOLE_OR_NULL,
    "finished_at": WHOLE_OR_NULL,
    "duration_ms": WHOLE_OR_NULL,
    "failed_job_id": TEXT_OR_NULL,
}
_NODE = thing(
    id=TEXT,
    task=TEXT,
    queue=TEXT,
    status=STATUS,
    started_at=WHOLE_OR_NULL,
    completed_at=WHOLE_OR_NULL,
    dependencies=TEXTS,
)
_CANCELLED = {
    "type": "object",
    "required": ["cancelled"],
    "properties": {"cancelled": WHOLE, "cancel_requested": WHOLE},
}
ASKED: Schema = thing(cancelled={"const": False}, cancel_requested={"const": True})
"""What comes with 202 when a running job is asked to end."""

_OPERATION = thing(
    id=TEXT,
    verb={"enum": ["retry", "cancel", "delete"]},
    filter=TEXT,
    who=TEXT,
    total=WHOLE,
    rate=WHOLE_OR_NULL,
    stop_after=WHOLE_OR_NULL,
    canary=WHOLE_OR_NULL,
    waits_until=WHOLE_OR_NULL,
    state={"enum": ["running", "done", "stopped"]},
    done=WHOLE,
    skipped=WHOLE,
    failed=WHOLE,
    started_at=WHOLE,
    ended_at=WHOLE_OR_NULL,
    report=TEXT_OR_NULL,
)
_COLUMN = {"type": "array", "items": NUMBER_OR_NULL}
_ROLLUPS = thing(
    **dict.fromkeys(("from", "to", "step"), WHOLE),
    open=WHOLE_OR_NULL,
    at=list_of(WHOLE),
    **dict.fromkeys(COLUMNS, _COLUMN),
    marks=list_of(thing(at=WHOLE, text=TEXT, who=TEXT)),
)

ACCEPTED: Mapping[tuple[str, str], tuple[str, Schema]] = {
    ("POST", "/api/jobs/<id>/cancel"): ("The job runs and is asked to end", ASKED),
    ("POST", "/api/operations"): ("The operation, which may be over already", _OPERATION),
    ("POST", "/api/failures/<group>/retry"): (
        "With rate, stop_after or canary: the operation, which may be over already",
        _OPERATION,
    ),
}
"""What is answered with 202, and what that means."""

ANSWERS: Mapping[tuple[str, str], Schema] = {
    ("GET", "/api/stats"): thing(**_COUNTS),
    ("GET", "/api/metrics"): {"type": "object", "additionalProperties": _METRICS},
    ("GET", "/api/logs"): list_of(_LOG),
    ("GET", "/api/circuit-breakers"): list_of(_BREAKER),
    ("GET", "/api/workers"): list_of(_WORKER),
    ("POST", "/api/workers/<id>/drain"): thing(draining={"const": True}),
    ("GET", "/api/running"): list_of(_RUNNING),
    ("GET", "/api/jobs"): list_of(thing(**_JOB)),
    ("POST", "/api/jobs/cancel"): _CANCELLED,
    ("POST", "/api/jobs/replay"): thing(replay_job_ids=TEXTS),
    ("GET", "/api/jobs/<id>"): thing(**_WHOLE_JOB),
    ("GET", "/api/jobs/<id>/errors"): list_of(_ATTEMPT),
    ("GET", "/api/jobs/<id>/attempts"): list_of(_TRY),
    ("GET", "/api/jobs/<id>/logs"): list_of(_LOG),
    ("GET", "/api/jobs/<id>/replay-history"): list_of(_REPLAY),
    ("GET", "/api/jobs/<id>/why"): _WHY,
    ("POST", "/api/jobs/<id>/cancel"): thing(cancelled={"const": True}),
    ("POST", "/api/jobs/<id>/run-now"): thing(due={"const": True}),
    ("POST", "/api/jobs/<id>/replay"): thing(replay_job_id=TEXT),
    ("GET", "/api/failures"): list_of(thing(**_GROUP)),
    ("GET", "/api/failures/<group>"): thing(
        **_GROUP,
        hours=list_of(WHOLE),
        jobs=list_of(thing(id=TEXT, status=STATUS, preview=TEXT_OR_NULL)),
        message=TEXT_OR_NULL,
        frames=list_of({"type": "object"}),
    ),
    ("POST", "/api/failures/<group>/retry"): thing(new_job_ids=TEXTS),
    ("POST", "/api/failures/<group>/discard"): thing(deleted=WHOLE),
    ("PUT", "/api/failures/<group>/state"): thing(**_GROUP),
    ("GET", "/api/dead-letters"): list_of(_LETTER),
    ("POST", "/api/dead-letters/purge"): thing(purged=WHOLE),
    ("POST", "/api/dead-letters/retry"): thing(new_job_ids=TEXTS),
    ("POST", "/api/dead-letters/delete"): thing(deleted=WHOLE),
    ("POST", "/api/dead-letters/<id>/retry"): thing(new_job_id=TEXT),
    ("DELETE", "/api/dead-letters/<id>"): thing(deleted={"const": True}),
    ("GET", "/api/queues"): list_of(_QUEUE),
    ("POST", "/api/queues/<name:name>/pause"): thing(paused={"const": True}),
    ("POST", "/api/queues/<name:name>/resume"): thing(paused={"const": False}),
    ("PUT", "/api/queues/<name:name>/limits"): _QUEUE,
    ("POST", "/api/tasks/<name:name>/enqueue"): thing(job_id=TEXT),
    ("GET", "/api/periodic"): list_of(_SCHEDULE),
    ("POST", "/api/periodic/<name:name>/pause"): thing(enabled={"const": False}),
    ("POST", "/api/periodic/<name:name>/resume"): thing(enabled={"const": True}),
    ("POST", "/api/periodic/<name:name>/trigger"): thing(job_id=TEXT),
    ("DELETE", "/api/periodic/<name:name>"): thing(deleted={"const": True}),
    ("GET", "/api/workflows"): list_of(thing(**_WORKFLOW)),
    ("GET", "/api/workflows/<id>"): thing(**_WORKFLOW, nodes=list_of(_NODE)),
    ("POST", "/api/workflows/<id>/retry"): thing(workflow_id=TEXT, jobs=WHOLE),
    ("POST", "/api/workflows/<id>/cancel"): thing(cancelled=WHOLE, cancel_requested=WHOLE),
    ("GET", "/api/count"): thing(count=WHOLE, is_capped=TRUTH, is_whole=TRUTH),
    ("GET", "/api/operations"): list_of(_OPERATION),
    ("POST", "/api/operations"): _OPERATION,
    ("GET", "/api/operations/<id>"): _OPERATION,
    ("POST", "/api/operations/<id>/stop"): thing(stopped=TRUTH),
    ("POST", "/api/operations/<id>/undo"): thing(undone=WHOLE),
    ("GET", "/api/audit"): list_of(thing(at=WHOLE, who=TEXT, deed=TEXT, subject=TEXT, count=WHOLE)),
    ("GET", "/api/rollups"): _ROLLUPS,
    ("GET", "/api/v1/openapi.json"): {"type": "object"},
}
