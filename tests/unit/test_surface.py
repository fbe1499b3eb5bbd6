"""What programs can import and call: names, parameters in their order, defaults."""

import importlib
import inspect
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import taskito
from taskito import (
    BoundTask,
    Cancel,
    CloudpickleSerializer,
    JobContext,
    JobResult,
    JsonSerializer,
    OrjsonSerializer,
    Queue,
    Retry,
    Signature,
    SignedSerializer,
    Snooze,
    TaskMiddleware,
    TaskWrapper,
    chain,
    chord,
    chunks,
    group,
    starmap,
)
from taskito.testing import (
    ManualWorker,
    TestMode,
    TestResult,
    TestResults,
    assert_enqueued,
    assert_not_enqueued,
)

SINCE_0_2 = """
    Queue TaskWrapper JobResult Signature chain group chord chunks starmap current_job
    TaskMiddleware Serializer CloudpickleSerializer JsonSerializer TestMode TestResult
    TestResults TaskitoError TaskTimeoutError SoftTimeoutError TaskCancelledError
    MaxRetriesExceededError SerializationError CircuitBreakerOpenError
    RateLimitExceededError JobNotFoundError QueueError
""".split()  # noqa: SIM905 - a list of words is read as one
NEW = """
    Task AsyncTask BoundTask JobContext JobPage Why Reason CheckIssue Retry Snooze Cancel
    SignedSerializer OrjsonSerializer TaskFailedError ResultTimeout DependencyFailedError
    WorkerLostError PayloadTooLargeError SignatureError DependencyError
    TaskNotRegisteredError ScheduleNotFoundError LockNotAcquiredError QueueClosedError
    StorageError SchemaVersionError ConfigurationError CronError NoJobContextError
""".split()  # noqa: SIM905 - a list of words is read as one
MODULES = {
    "app": "Queue",
    "task": "TaskWrapper",
    "result": "JobResult",
    "context": "current_job JobContext",
    "canvas": "Signature chain group chord chunks starmap",
    "middleware": "TaskMiddleware",
    "serializers": "Serializer CloudpickleSerializer JsonSerializer",
    "exceptions": "TaskitoError JobNotFoundError CronError",
    "testing": "TestMode TestResult TestResults",
}
OPTIONS = (
    "priority=None, delay=None, queue=None, max_retries=None, timeout=None, unique_key=None, "
    "metadata=None, depends_on=None, expires=None, result_ttl=None, *, idempotency_key=None, "
    "limit_key=None, headers=None"
)
FILTERS = "*, created_after=None, created_before=None, metadata=None, error=None"
QUEUE = {
    "enqueue": f"task_name, args=(), kwargs=None, {OPTIONS}",
    "enqueue_many": (
        "task_name, args_list, kwargs_list=None, priority=None, queue=None, max_retries=None, "
        "timeout=None, *, delay=None, metadata=None, depends_on=None, expires=None, "
        "result_ttl=None, limit_key=None, headers=None, options_list=None"
    ),
    "get_job": "job_id",
    "list_jobs": (
        f"status=None, queue=None, task_name=None, limit=50, offset=0, {FILTERS}, cursor=None"
    ),
    "count_jobs": f"status=None, queue=None, task_name=None, {FILTERS}",
    "stats": "",
    "stats_by_queue": "",
    "list_queues": "",
    "job_errors": "job_id",
    "task_logs": "job_id",
    "query_logs": "task_name=None, level=None, since=3600, limit=100",
    "metrics": "task_name=None, since=3600",
    "replay_history": "job_id",
    "circuit_breakers": "",
    "workers": "",
    "why": "job_id",
    "check": "*, limit=1000",
    "cancel_job": "job_id",
    "cancel_running_job": "job_id",
    "run_now": "job_id",
    "update_progress": "job_id, progress",
    "replay": "job_id",
    "snapshot": "path, *, overwrite=False",
    "dead_letters": "limit=10, offset=0, *, task_name=None, queue=None, cursor=None",
    "retry_dead": "dead_id",
    "retry_all_dead": "task_name=None, queue=None, limit=None",
    "delete_dead": "dead_id",
    "purge_dead": "older_than=86400, *, task_name=None, queue=None",
    "purge_completed": "older_than=86400",
    "purge_jobs": "status, *, older_than=86400, queue=None, task_name=None",
    "run_worker": "queues=None, *, workers=None, drain_timeout=None",
    "arun_worker": "queues=None, *, workers=None, drain_timeout=None",
    "shutdown": "*, wait=False, now=False",
    "close": "",
    "periodic": (
        "cron=None, name=None, args=(), kwargs=None, queue='default', timezone='UTC', "
        "catch_up='one', *, every=None, **task_options"
    ),
    "list_periodic": "",
    "pause_periodic": "name",
    "resume_periodic": "name",
    "delete_periodic": "name",
    "trigger_periodic": "name",
    "pause": "queue='default'",
    "drain_worker": "worker_id",
    "mark": "text, *, who='program'",
    "resume": "queue='default'",
    "paused_queues": "",
    "set_queue_rate_limit": "queue, rate",
    "test_mode": "propagate_errors=False",
}
EVENTS = [
    "on_enqueue",
    "before_task",
    "on_success",
    "on_failure",
    "after_task",
    "on_timeout",
    "on_retry",
    "on_dead_letter",
    "on_cancel",
]
RESULT = "timeout=30.0, poll_interval=0.05, max_poll_interval=0.5"
OTHERS: dict[str, tuple[Callable[..., Any], str]] = {
    "Queue": (
        Queue,
        (
            "db_path=None, workers=0, default_retry=3, default_timeout=300, default_priority=0, "
            "result_ttl=None, serializer=None, middleware=None, *, drain_timeout=30, "
            "async_concurrency=100, durability='full', max_payload_bytes=16777216, "
            "redact=(), previews=True"
        ),
    ),
    "apply_async": (TaskWrapper.apply_async, f"self, args=(), kwargs=None, {OPTIONS}"),
    "delay": (TaskWrapper.delay, "self, /, *args, **kwargs"),
    "map": (TaskWrapper.map, "self, iterable"),
    "result": (JobResult.result, f"self, {RESULT}"),
    "aresult": (JobResult.aresult, f"self, {RESULT}"),
    "wait": (JobResult.wait, "self, timeout=None"),
    "await_": (JobResult.await_, "self, timeout=None"),
    "Signature": (Signature, "task, args=(), kwargs=..., options=..., immutable=False"),
    "chain": (chain, "*steps"),
    "group": (group, "*members, max_concurrency=None"),
    "chord": (chord, "header, callback"),
    "chunks": (chunks, "task, items, chunk_size"),
    "starmap": (starmap, "task, args_list"),
    "chain.apply": (chain.apply, "self, queue=None"),
    "group.apply": (group.apply, "self, queue=None"),
    "chord.apply": (chord.apply, "self, queue=None"),
    "Signature.apply": (Signature.apply, "self, queue=None"),
    "log": (JobContext.log, "self, message, level='info', extra=None"),
    "update_progress": (JobContext.update_progress, "self, progress"),
    "Retry": (Retry, "delay=None, reason=None"),
    "Snooze": (Snooze, "seconds, reason=None"),
    "Cancel": (Cancel, "reason=None"),
    "SignedSerializer": (SignedSerializer, "inner, key, *, previous_keys=()"),
    "TestMode": (TestMode, "queue, propagate_errors=False"),
    "TestResult": (
        TestResult,
        (
            "job_id, task_name, args, kwargs, return_value=None, error=None, traceback=None, "
            "progress=None, logs=..."
        ),
    ),
    "filter": (TestResults.filter, "self, task_name=None, succeeded=None"),
    "run": (ManualWorker.run, "self, max_jobs=None"),
    "run_until_idle": (ManualWorker.run_until_idle, "self, horizon=86400"),
    "advance": (ManualWorker.advance, "self, seconds"),
    "assert_enqueued": (
        assert_enqueued,
        "task, args=None, kwargs=None, *, queue=None, count=None",
    ),
    "assert_not_enqueued": (
        assert_not_enqueued,
        "task, args=None, kwargs=None, *, queue=None",
    ),
    "main": (importlib.import_module("taskito.cli").main, "argv=None"),
}


def parameters(function: Callable[..., Any], skip: int = 0) -> str:
    """The parameters of a callable as one writes them, without types."""
    plain = [
        parameter.replace(annotation=parameter.empty)
        for parameter in list(inspect.signature(function).parameters.values())[skip:]
    ]
    return str(inspect.Signature(plain))[1:-1].replace("<factory>", "...")


class TestNames:
    @pytest.mark.parametrize("name", [*SINCE_0_2, *NEW])
    def test_the_package_exports_it(self, name: str) -> None:
        assert name in taskito.__all__
        assert getattr(taskito, name) is not None

    @pytest.mark.parametrize(("module", "names"), MODULES.items(), ids=MODULES)
    def test_a_module_of_its_own_has_it_too(self, module: str, names: str) -> None:
        found = importlib.import_module(f"taskito.{module}")
        for name in names.split():
            assert getattr(found, name) is getattr(taskito, name)

    def test_importing_it_loads_nothing_that_is_not_of_python(self, tmp_path: Path) -> None:
        code = (
            "import sys\n"
            "before = set(sys.modules)\n"
            "import taskito, taskito.testing, taskito.cli\n"
            "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
            "print(new - set(sys.stdlib_module_names))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout == "{'taskito'}\n"
        assert list(tmp_path.iterdir()) == []

    def test_the_commands_entry_is_a_function(self) -> None:
        assert callable(importlib.import_module("taskito.cli").main)

    def test_the_engine_has_the_same_version(self) -> None:
        assert importlib.import_module("taskito_core").__version__ == taskito.__version__

    @pytest.mark.parametrize("package", ["taskito", "taskito_core"])
    def test_types_are_shipped(self, package: str) -> None:
        (folder,) = importlib.import_module(package).__path__
        assert (Path(folder) / "py.typed").is_file()

    def test_the_logger_is_silent_unless_a_program_wants_to_hear_it(self) -> None:
        handlers = logging.getLogger("taskito").handlers
        assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


class TestParameters:
    @pytest.mark.parametrize(("name", "expected"), QUEUE.items(), ids=QUEUE)
    def test_of_the_methods_of_a_queue(self, name: str, expected: str) -> None:
        assert parameters(getattr(Queue, name), skip=1) == expected

    @pytest.mark.parametrize(("function", "expected"), OTHERS.values(), ids=OTHERS)
    def test_of_everything_else(self, function: Callable[..., Any], expected: str) -> None:
        assert parameters(function) == expected

    @pytest.mark.parametrize("event", EVENTS)
    def test_of_what_listens(self, event: str) -> None:
        assert parameters(getattr(Queue, event)) == "self, hook, /"

    @pytest.mark.parametrize(
        ("method", "expected"),
        {
            "on_enqueue": "self, task_name, args, kwargs, options",
            "before": "self, ctx",
            "on_success": "self, ctx, result",
            "on_failure": "self, ctx, error",
            "after": "self, ctx, result, error",
            "on_timeout": "self, ctx",
            "on_retry": "self, ctx, error, retry_count",
            "on_dead_letter": "self, ctx, error",
            "on_cancel": "self, ctx",
        }.items(),
    )
    def test_of_middleware(self, method: str, expected: str) -> None:
        assert parameters(getattr(TaskMiddleware, method)) == expected

    @pytest.mark.parametrize(
        "kind", [CloudpickleSerializer, JsonSerializer, OrjsonSerializer, SignedSerializer]
    )
    def test_of_serializers(self, kind: type[Any]) -> None:
        assert parameters(kind.dumps).replace(", /", "") == "self, obj"
        assert parameters(kind.loads).replace(", /", "") == "self, data"


class TestMembers:
    def test_bound_options_have_every_way_to_enqueue(self) -> None:
        for name in ("delay", "adelay", "map", "amap", "s", "si", "options"):
            assert callable(getattr(BoundTask, name))

    def test_middleware_does_nothing_by_default(self, queue: Queue) -> None:
        with queue.test_mode() as results:
            queue.task(name="t", middleware=[TaskMiddleware()])(int).delay()
        assert results[0].return_value == 0
