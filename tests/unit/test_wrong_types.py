"""Arguments of a wrong type: a TypeError that names the argument and the value."""

from collections.abc import Callable
from typing import Any

import pytest

from taskito import Queue, TaskWrapper, starmap

Use = Callable[[Queue, TaskWrapper[..., Any], Any], object]
IDS: dict[str, Use] = {
    "get_job": lambda q, _t, v: q.get_job(v),
    "job_errors": lambda q, _t, v: q.job_errors(v),
    "task_logs": lambda q, _t, v: q.task_logs(v),
    "replay_history": lambda q, _t, v: q.replay_history(v),
    "cancel_job": lambda q, _t, v: q.cancel_job(v),
    "cancel_running_job": lambda q, _t, v: q.cancel_running_job(v),
    "run_now": lambda q, _t, v: q.run_now(v),
    "replay": lambda q, _t, v: q.replay(v),
    "why": lambda q, _t, v: q.why(v),
    "update_progress": lambda q, _t, v: q.update_progress(v, 5),
    "retry_dead": lambda q, _t, v: q.retry_dead(v),
    "delete_dead": lambda q, _t, v: q.delete_dead(v),
}
NAMES: dict[str, Use] = {
    "enqueue": lambda q, _t, v: q.enqueue(v),
    "enqueue_many": lambda q, _t, v: q.enqueue_many(v, [()]),
    "task": lambda q, _t, v: q.task(name=v),
    "periodic": lambda q, _t, v: q.periodic("@daily", v),
    "pause": lambda q, _t, v: q.pause(v),
    "drain_worker": lambda q, _t, v: q.drain_worker(v),
    "set_queue_rate_limit": lambda q, _t, v: q.set_queue_rate_limit(v, "1/s"),
    "trigger_periodic": lambda q, _t, v: q.trigger_periodic(v),
    "list_jobs of a queue": lambda q, _t, v: q.list_jobs(queue=v),
    "list_jobs of a status": lambda q, _t, v: q.list_jobs(v),
    "count_jobs": lambda q, _t, v: q.count_jobs(task_name=v),
    "dead_letters": lambda q, _t, v: q.dead_letters(task_name=v),
    "retry_all_dead": lambda q, _t, v: q.retry_all_dead(v),
    "purge_dead": lambda q, _t, v: q.purge_dead(queue=v),
    "purge_jobs": lambda q, _t, v: q.purge_jobs(v),
    "query_logs": lambda q, _t, v: q.query_logs(level=v),
    "metrics": lambda q, _t, v: q.metrics(v),
    "run_worker": lambda q, _t, v: q.run_worker([v]),
    "durability": lambda _q, _t, v: Queue(durability=v),
}
LISTS: dict[str, Use] = {
    "args_list": lambda q, _t, v: q.enqueue_many("t", v),
    "kwargs_list": lambda q, _t, v: q.enqueue_many("t", [()], v),
    "options_list": lambda q, _t, v: q.enqueue_many("t", [()], options_list=v),
    "iterable": lambda _q, t, v: t.map(v),
    "args_list of starmap": lambda _q, t, v: starmap(t, v),
    "queues": lambda q, _t, v: q.run_worker(v),
}


@pytest.fixture
def task(queue: Queue) -> TaskWrapper[..., Any]:
    return queue.task(name="t")(lambda *_args: None)


@pytest.mark.parametrize("value", [5, b"x", 1.5], ids=str)
@pytest.mark.parametrize("use", [*IDS.values(), *NAMES.values()], ids=[*IDS, *NAMES])
def test_an_id_or_a_name_must_be_text(
    queue: Queue, task: TaskWrapper[..., Any], use: Use, value: object
) -> None:
    with pytest.raises(TypeError, match=rf"[a-z_]+ must be a str, got {value!r}"):
        use(queue, task, value)
    assert queue.count_jobs() == 0


@pytest.mark.parametrize("use", LISTS.values(), ids=LISTS)
def test_a_list_must_be_an_iterable(queue: Queue, task: TaskWrapper[..., Any], use: Use) -> None:
    with pytest.raises(TypeError, match=r"[a-z_]+ must be a sequence, got 5"):
        use(queue, task, 5)
    assert queue.count_jobs() == 0


@pytest.mark.parametrize("name", ["task", "periodic", "run_worker"])
def test_a_name_must_be_text_that_can_be_stored(
    queue: Queue, task: TaskWrapper[..., Any], name: str
) -> None:
    """A worker would refuse it, long after the program has started."""
    with pytest.raises(ValueError, match=r"must be text that UTF-8 can hold, got '\\ud800x'"):
        NAMES[name](queue, task, "\ud800x")


def test_text_that_cannot_be_stored_fails_at_the_call(queue: Queue) -> None:
    for option in ("unique_key", "queue", "metadata", "limit_key", "idempotency_key"):
        given: dict[str, Any] = {option: "\ud800"}
        with pytest.raises(ValueError, match="surrogates not allowed"):
            queue.enqueue("t", **given)
    assert queue.count_jobs() == 0
