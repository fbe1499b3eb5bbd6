"""What is wrong, as sentences: a closed set of rules, each a pure function of facts.

The order of the rules is that of the page.
"""

from taskito_dashboard import words
from taskito_dashboard.problem import Problem
from taskito_dashboard.rules import failing, upkeep, waiting
from taskito_dashboard.world import World

RULES = (
    waiting.nobody_works,
    waiting.no_worker_for_queue,
    waiting.no_worker_for_task,
    failing.lost_workers,
    failing.missed_schedules,
    waiting.late_queues,
    waiting.growing_backlog,
    failing.open_breakers,
    failing.failing_tasks,
    failing.new_failures,
    failing.overdue_jobs,
    waiting.paused_queues,
    upkeep.old_workers,
    upkeep.clocks,
    upkeep.database,
)


def problems(world: World) -> list[Problem]:
    """Return everything that is wrong, the worst first."""
    found = [problem for rule in RULES for problem in rule(world)]
    return sorted(found, key=lambda problem: problem.level != "bad")


def quiet(world: World, last_failure_at: int | None) -> str:
    """Return what is said when nothing is wrong."""
    failure = (
        "no dead letters"
        if last_failure_at is None
        else f"last failure {words.ago(last_failure_at, world.now)}"
    )
    if not world.live:
        return f"Nothing waits, and no worker runs; {failure}."
    slots = f"{words.count(world.slots)} slot{'s' if world.slots != 1 else ''}"
    return f"All quiet. {slots}, {words.count(world.pending)} waiting, {failure}."
