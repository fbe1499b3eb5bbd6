"""What the overview says is wrong: each rule on the smallest world in which it speaks."""

from dataclasses import replace
from typing import Any

import pytest

from taskito_dashboard.problems import LARGEST_LOG, LEAST_FREE, World, problems, quiet

NOW = 1_000_000_000_000
MINUTE = 60_000


def queue(name: str = "emails", **facts: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("pending", "running", "completed", "failed", "dead", "cancelled"), 0)
    limits = {"rate_limit": None, "max_concurrent": None}
    plain = {"name": name, "paused": False, "oldest_due_at": None, "workers": 1}
    return {**plain, **limits, **counts, **facts}


def worker(**facts: Any) -> dict[str, Any]:
    return {
        "worker_id": "w",
        "hostname": "vm",
        "pid": 4711,
        "version": "1.0",
        "tasks": ["add"],
        "queues": [],
        "status": "active",
        "concurrency": 8,
        "running": 0,
        "last_heartbeat": NOW,
        "started_at": NOW,
        "abandoned": 0,
        **facts,
    }


FINE = World(
    now=NOW,
    queues=[queue()],
    workers=[worker()],
    waiting={"add": 1},
    breakers=[{"task_name": "add", "state": "closed", "opened_at": None}],
    schedules=[{"name": "nightly", "enabled": True, "next_run": NOW + MINUTE}],
    running=[{"id": "j", "timeout_ms": MINUTE, "started_at": NOW - MINUTE}],
    lately={"add": {"count": 100, "failure_count": 4}},
    day={"add": {"count": 200, "failure_count": 4}},
    log_size=LARGEST_LOG,
    free=LEAST_FREE,
    version="1.0",
)


def test_a_world_in_order_has_no_problem() -> None:
    assert problems(FINE) == []
    assert quiet(FINE, None) == "All quiet. 8 slots, 0 waiting, no dead letters."
    assert quiet(FINE, NOW - 3 * 3600 * 1000).endswith("last failure 3\u202fh ago.")


def test_nothing_is_called_quiet_when_nobody_works() -> None:
    idle = replace(FINE, workers=[])
    assert quiet(idle, None) == "Nothing waits, and no worker runs; no dead letters."


WAITS: dict[str, Any] = {"pending": 389, "oldest_due_at": NOW - 250_000}


@pytest.mark.parametrize(
    ("rule", "world", "sentence"),
    [
        (
            "nobody_works",
            replace(FINE, workers=[], queues=[queue(workers=0, **WAITS)]),
            "No worker runs: 389 jobs wait, oldest 4 min 10 s.",
        ),
        (
            "nobody_works",
            replace(FINE, workers=[worker(status="draining")], queues=[queue(pending=1)]),
            "No worker runs: 1 job waits.",
        ),
        (
            "no_worker_for_queue",
            replace(FINE, queues=[queue("reports", workers=0, **WAITS)]),
            "No worker listens to queue reports: 389 jobs wait, oldest 4 min 10 s.",
        ),
        (
            "no_worker_for_task",
            replace(FINE, waiting={"add": 5, "send": 2}),
            (
                "No worker knows task send: 2 jobs wait. "
                "Import the module that defines it in the worker's program."
            ),
        ),
        (
            "late_queue",
            replace(FINE, queues=[queue(pending=2, oldest_due_at=NOW - MINUTE - 1)]),
            "Jobs are late in queue emails: 2 jobs wait, oldest 1 min.",
        ),
        (
            "paused_queue",
            replace(FINE, queues=[queue(paused=True, **WAITS)]),
            "Paused queue emails: 389 jobs wait.",
        ),
        (
            "breaker_open",
            replace(
                FINE, breakers=[{"task_name": "add", "state": "open", "opened_at": NOW - MINUTE}]
            ),
            "Circuit breaker open for task add: opened 1 min ago; its jobs wait.",
        ),
        (
            "failing_task",
            replace(
                FINE,
                lately={"add": {"count": 100, "failure_count": 12}},
                day={"add": {"count": 1100, "failure_count": 20}},
            ),
            (
                "Failures of task add: 12.0 % of the attempts of the last 15 min "
                "(0.8 % in the day before)."
            ),
        ),
        (
            "failing_task",
            replace(
                FINE,
                lately={"add": {"count": 5, "failure_count": 5}},
                day={"add": {"count": 5, "failure_count": 5}},
            ),
            (
                "Failures of task add: 100.0 % of the attempts of the last 15 min "
                "(it did not run in the day before)."
            ),
        ),
        (
            "worker_lost",
            replace(
                FINE,
                workers=[
                    worker(),
                    worker(pid=1, status="stale", running=1, last_heartbeat=NOW - 35_000),
                ],
            ),
            "No heartbeat from worker vm:1: last seen 35 s ago with 1 job in hand.",
        ),
        (
            "schedule_missed",
            replace(
                FINE, schedules=[{"name": "nightly", "enabled": True, "next_run": NOW - 61_000}]
            ),
            "Missed schedule nightly: was to run 1 min ago.",
        ),
        (
            "over_timeout",
            replace(FINE, running=[{"id": "j", "timeout_ms": 1000, "started_at": NOW - 6001}]),
            "1 job past the timeout: still counted as running.",
        ),
        (
            "worker_version",
            replace(FINE, version="2.0"),
            "Another version in worker vm:4711: it runs 1.0, this page 2.0.",
        ),
        (
            "large_log",
            replace(FINE, log_size=LARGEST_LOG + 1),
            (
                "The write-ahead log is large: 64.0 MiB; "
                "a reader that never ends keeps it from shrinking."
            ),
        ),
        (
            "disk_full",
            replace(FINE, free=LEAST_FREE - 1),
            "The disk is nearly full: 1,024.0 MiB left beside the database.",
        ),
    ],
)
def test_a_rule_speaks(rule: str, world: World, sentence: str) -> None:
    found = [problem for problem in problems(world) if problem.rule == rule]

    assert len(found) == 1
    (problem,) = found
    head = " ".join(filter(None, (problem.head, problem.name)))
    said = f"{head}: {problem.tail}".replace("\u202f", " ")
    assert said == sentence
    assert problem.link
    assert problem.label


@pytest.mark.parametrize(
    "world",
    [
        replace(FINE, queues=[queue(workers=0, pending=5)]),
        replace(FINE, queues=[queue(pending=2, oldest_due_at=NOW - MINUTE)]),
        replace(FINE, queues=[queue(paused=True)]),
        replace(FINE, breakers=[{"task_name": "a", "state": "half_open", "opened_at": NOW}]),
        replace(FINE, schedules=[{"name": "n", "enabled": False, "next_run": NOW - 10**6}]),
        replace(FINE, schedules=[{"name": "n", "enabled": True, "next_run": None}]),
        replace(FINE, running=[{"id": "j", "timeout_ms": 0, "started_at": 1}]),
        replace(FINE, log_size=None, free=None),
        replace(
            FINE,
            lately={"add": {"count": 10, "failure_count": 5}},
            day={"add": {"count": 110, "failure_count": 25}},
        ),
    ],
)
def test_what_is_no_problem_is_not_told(world: World) -> None:
    assert problems(world) == []


def test_the_worst_come_first() -> None:
    world = replace(
        FINE,
        queues=[queue("a", paused=True, **WAITS), queue("b", workers=0, **WAITS)],
        version="2.0",
        free=1,
    )
    levels = [problem.level for problem in problems(world)]

    assert levels == ["bad", "bad", "warn", "warn"]


def test_a_command_can_be_pasted_whatever_the_name() -> None:
    world = replace(FINE, queues=[queue("a; rm -rf '$HOME'", workers=0, **WAITS)])
    (problem,) = problems(world)

    assert problem.command is not None
    assert problem.command.endswith("""--queues 'a; rm -rf '"'"'$HOME'"'"''""")
