"""The metrics that the SDK exports."""

import inspect

import pytest
from opentelemetry import metrics

from taskito import current_job
from tests.telemetry.conftest import MakeQueue, Work
from tests.telemetry.recordings import Recordings

PROCESS = {
    "messaging.destination.name": "default",
    "messaging.operation.name": "process",
    "messaging.system": "taskito",
    "taskito.task_name": "flaky",
}
SEND = {**PROCESS, "messaging.operation.name": "send"}


def key(**facts: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(facts.items()))


def test_count_and_time_what_is_sent_and_processed(
    make_queue: MakeQueue, work: Work, recordings: Recordings
) -> None:
    queue = make_queue()

    @queue.task(name="flaky", max_retries=1, retry_backoff=0)
    def flaky() -> None:
        if current_job.attempt == 1:
            raise OSError("once")

    work(queue)
    for job in flaky.map([(), ()]):
        job.result()
    recordings.processed(4)

    failed = key(**PROCESS, **{"error.type": "OSError"})
    found = recordings.metrics()
    durations = found["messaging.process.duration"]
    assert {facts: point.count for facts, point in durations.items()} == {
        key(**PROCESS): 2,
        failed: 2,
    }
    consumed = found["messaging.client.consumed.messages"]
    assert {facts: point.value for facts, point in consumed.items()} == {key(**PROCESS): 4}
    sent = found["messaging.client.sent.messages"]
    assert {facts: point.value for facts, point in sent.items()} == {key(**SEND): 2}
    (operation,) = found["messaging.client.operation.duration"].items()
    assert operation[0] == key(**SEND)
    assert operation[1].count == 1
    assert 0 < operation[1].sum < 10


@pytest.mark.skipif(
    "explicit_bucket_boundaries_advisory"
    not in inspect.signature(metrics.Meter.create_histogram).parameters,
    reason="this version of the API cannot advise on buckets",
)
def test_buckets_begin_at_five_milliseconds(make_queue: MakeQueue, recordings: Recordings) -> None:
    make_queue().enqueue("anything")
    (point,) = recordings.points("messaging.client.operation.duration").values()
    assert point.explicit_bounds[:3] == (0.005, 0.01, 0.025)
    assert point.explicit_bounds[-1] == 10
