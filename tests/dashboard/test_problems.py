"""What the overview says is wrong: each rule on the smallest world in which it speaks."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from taskito._readers import LONG_LOG
from taskito_dashboard.problems import problems, quiet
from taskito_dashboard.rules.upkeep import LEAST_FREE
from taskito_dashboard.world import Backlog, Failure, Flow, World, failures

if TYPE_CHECKING:
    from taskito_core import GroupRow

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


def failure(task: str, title: str, *, is_new: bool = False) -> Failure:
    return Failure(
        fingerprint="00c0ffee00c0ffee",
        task=task,
        title=title,
        dead=5,
        retrying=2,
        first_at=NOW - 2 * MINUTE,
        last_at=NOW,
        is_new=is_new,
    )


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
    log_size=LONG_LOG,
    log_readers=(),
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
            "late_queue",
            replace(
                FINE,
                queues=[queue(pending=2, oldest_due_at=NOW - 2 * MINUTE)],
                trends={"emails": "drains in 9 min"},
            ),
            "Jobs are late in queue emails: 2 jobs wait, oldest 2 min; drains in 9 min.",
        ),
        (
            "paused_queue",
            replace(
                FINE,
                queues=[queue(paused=True, pending=389, oldest_due_at=NOW - 10 * MINUTE - 1)],
            ),
            "Paused queue emails: 389 jobs wait, oldest 10 min.",
        ),
        (
            "paused_queue",
            replace(
                FINE,
                queues=[queue(paused=True, pending=389, oldest_due_at=NOW - 10 * MINUTE - 1)],
                ready={"emails": 7},
            ),
            "Paused queue emails: 7 jobs wait, oldest 10 min.",
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
            ("Task add fails 12.0 %: of the attempts of the last 15 min; normally 0.8 %."),
        ),
        (
            "failing_task",
            replace(
                FINE,
                lately={"add": {"count": 5, "failure_count": 5}},
                day={"add": {"count": 5, "failure_count": 5}},
            ),
            (
                "Task add fails 100.0 %: of the attempts of the last 15 min; "
                "it did not run in the day before."
            ),
        ),
        (
            "failing_task",
            replace(
                FINE,
                lately={"add": {"count": 10, "failure_count": 10}},
                day={"add": {"count": 110, "failure_count": 10}},
                failures=[failure("add", "ValueError: no"), failure("other", "KeyError: 1")],
            ),
            (
                "Task add fails 100.0 %: of the attempts of the last 15 min; normally 0.0 %; "
                "mostly ValueError: no"
            ),
        ),
        (
            "new_failure",
            replace(FINE, failures=[failure("add", "ValueError: no", is_new=True)]),
            ("New failure of task add: 7 jobs failed, the first attempt 2 min ago: ValueError: no"),
        ),
        (
            "new_failure",
            replace(FINE, failures=[failure("add", "ValueError: no", is_new=True)], mark="v1.4"),
            (
                "New failure of task add: 7 jobs failed since v1.4, the first attempt 2 min ago: "
                "ValueError: no"
            ),
        ),
        (
            "growing_backlog",
            replace(
                FINE,
                queues=[queue(pending=5210, oldest_due_at=NOW - 2 * MINUTE)],
                flow=Flow(waiting=5210, done=3000, growth=240.4),
            ),
            (
                "The backlog grows: 5,210 jobs wait, 240 more each minute, "
                "600 done each minute: never drains at this rate."
            ),
        ),
        (
            "nothing_deleted",
            replace(FINE, queues=[queue(completed=1_000_001)], keeps_all=True),
            (
                "Finished jobs are never deleted: 1,000,001 jobs are kept; "
                "set Queue(result_ttl=7 * 86400) in MODULE:QUEUE."
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
            "1 job past the timeout: still counted as running, 5.0 s over.",
        ),
        (
            "worker_version",
            replace(FINE, version="2.0"),
            "Another version in worker vm:4711: it runs 1.0, this page 2.0.",
        ),
        (
            "clock",
            replace(FINE, workers=[worker(last_heartbeat=NOW + 5 * MINUTE)]),
            (
                "The clock differs from that of worker vm:4711: its last heartbeat is 5 min ahead; "
                "delays and schedules follow the clock."
            ),
        ),
        (
            "network_file",
            replace(FINE, network="nfs4"),
            (
                "The database lies on a network file system: nfs4: locks and shared memory "
                "do not work there. Move it to a local disk."
            ),
        ),
        (
            "large_log",
            replace(FINE, log_size=LONG_LOG + 1),
            (
                "The write-ahead log is large: 64.0 MiB; "
                "a reader that never ends keeps it from shrinking."
            ),
        ),
        (
            "large_log",
            replace(FINE, log_size=LONG_LOG + 1, log_readers=["process 7 (psql)", "process 9"]),
            (
                "The write-ahead log is large: 64.0 MiB; "
                "process 7 (psql), process 9 keeps it from shrinking."
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
    head = " ".join(filter(None, (problem.head, problem.name, problem.more)))
    said = f"{head}: {problem.tail} {problem.said}".strip().replace("\u202f", " ")
    assert said == sentence
    assert problem.link
    assert problem.label
    # Something to do: a command, a button, or a page that has one.
    assert problem.command or (problem.press and problem.deed) or problem.link[0] == "failures"


@pytest.mark.parametrize(
    "world",
    [
        replace(FINE, queues=[queue(workers=0, pending=5)]),
        replace(FINE, queues=[queue(pending=2, oldest_due_at=NOW - MINUTE)]),
        replace(FINE, queues=[queue(paused=True)]),
        replace(FINE, queues=[queue(paused=True, oldest_due_at=NOW - 10 * MINUTE)]),
        replace(FINE, flow=Flow(waiting=5000, done=0, growth=10)),
        replace(
            FINE,
            queues=[queue(oldest_due_at=NOW - MINUTE, pending=99)],
            flow=Flow(waiting=99, done=0, growth=10),
        ),
        replace(FINE, failures=[failure("add", "ValueError: no")]),
        replace(FINE, queues=[queue(completed=1_000_001)]),
        replace(FINE, queues=[queue(completed=1_000_000)], keeps_all=True),
        replace(FINE, breakers=[{"task_name": "a", "state": "half_open", "opened_at": NOW}]),
        replace(FINE, schedules=[{"name": "n", "enabled": False, "next_run": NOW - 10**6}]),
        replace(FINE, schedules=[{"name": "n", "enabled": True, "next_run": None}]),
        replace(FINE, running=[{"id": "j", "timeout_ms": 0, "started_at": 1}]),
        replace(FINE, log_size=None, free=None),
        replace(FINE, workers=[worker(last_heartbeat=NOW + MINUTE)]),
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
        queues=[
            queue("a", paused=True, pending=1, oldest_due_at=1),
            queue("b", workers=0, **WAITS),
        ],
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


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (Flow(waiting=0, done=0, growth=None), ""),
        (Flow(waiting=5, done=0, growth=None), "nothing done in 5 min"),
        (Flow(waiting=1200, done=3000, growth=None), "2 min of work at 600 / min"),
        (Flow(waiting=900, done=3000, growth=-100.0), "drains in 9 min"),
        (Flow(waiting=900, done=3000, growth=0), "never drains at this rate"),
    ],
)
def test_whether_the_backlog_drains_is_said_in_words(flow: Flow, words: str) -> None:
    assert flow.drains.replace("\u202f", " ") == words


class TestBacklog:
    def test_growth_is_not_known_before_a_minute_is_over(self) -> None:
        backlog = Backlog()

        assert backlog.growth(NOW, 100) is None
        assert backlog.growth(NOW + MINUTE - 1, 300) is None
        assert backlog.growth(NOW + MINUTE, 300) == 200

    def test_it_is_that_of_the_last_five_minutes(self) -> None:
        backlog = Backlog()
        growths = [
            backlog.growth(NOW + minute * MINUTE, 1000 if minute < 10 else 100 * minute)
            for minute in range(20)
        ]

        assert growths[-1] == 100

    def test_what_was_seen_long_ago_does_not_count(self) -> None:
        backlog = Backlog()
        backlog.growth(NOW, 100)

        assert backlog.growth(NOW + 60 * MINUTE, 5000) is None
        assert backlog.growth(NOW, 5000) is None


@dataclass
class Group:
    """A group of failures, as far as the overview looks at it."""

    first_seen: int
    dead: int = 1
    retrying: int = 0
    state: str = "open"
    fingerprint: str = "00c0ffee00c0ffee"
    task: str = "a"
    error_type: str = "IOError"
    template: str = "mx{N}"
    last_seen: int = NOW


class TestFailures:
    def found(self, *groups: Group, mark: int | None = None) -> list[Failure]:
        return failures(cast("list[GroupRow]", groups), mark, now=NOW)

    def test_the_group_with_most_jobs_comes_first(self) -> None:
        few, many = Group(NOW, dead=2, task="few"), Group(NOW, dead=1, retrying=2, task="many")
        most, least = self.found(few, many)

        assert (most.task, most.count, most.title) == ("many", 3, "IOError: mx{N}")
        assert least.task == "few"

    def test_what_people_silenced_or_resolved_is_passed_over(self) -> None:
        assert not self.found(Group(NOW, state="silenced"), Group(NOW, state="resolved"))

    @pytest.mark.parametrize("mark", [None, NOW - 30 * MINUTE, NOW - 600 * MINUTE])
    def test_what_began_after_the_last_deployment_is_new_or_within_the_hour(
        self, mark: int | None
    ) -> None:
        since = NOW - 60 * MINUTE if mark is None else mark
        old, new = Group(since - 1, task="old"), Group(since, task="new")

        assert {failure.task: failure.is_new for failure in self.found(old, new, mark=mark)} == {
            "old": False,
            "new": True,
        }
