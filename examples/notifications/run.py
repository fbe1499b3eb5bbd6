"""The example itself: a quiet night, then everything is sent, and the records are compared."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from examples.common.crew import Crew, crew
from examples.common.program import Answer, temporary_home
from examples.common.screen import Screen
from examples.notifications import plan as made_up
from examples.notifications.check import Books, differences
from examples.notifications.limits import MAIL_AT_ONCE, MAIL_RATE
from examples.notifications.plan import Event, Plan
from examples.notifications.provider import serving
from examples.notifications.report import Service, answer_of

if TYPE_CHECKING:
    from taskito import Queue

THREADS = 4
"""How many jobs each worker runs at once."""

EVENTS_EVERY_S = 0.15
"""Between two events."""

LATE_S = 0.2
"""For how long a late code is of use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for.

    Attributes:
        tenants: how many customers there are.
        notices: how many plain messages each of them sends.
        seed: chooses what happens.
        workers: how many worker processes there are.
        keep: leave the temporary folder in place.
    """

    tenants: int
    notices: int
    seed: int
    workers: int
    keep: bool


def notify_all(options: Options, screen: Screen) -> Answer:
    """Do it all; blocks until everything is sent and checked."""
    plan = made_up.make(options.tenants, options.notices, options.seed)
    with (
        temporary_home("notifications", keep=options.keep) as home,
        serving(plan.bad_addresses, plan.flaky) as provider,
    ):
        from examples.notifications.tasks import PROVIDER, queue

        os.environ[PROVIDER] = provider.url
        total = len(plan.wanted) + len(plan.hopeless) + len(plan.late_codes)
        screen.say("plan", f"{total:,} messages of {options.tenants:,} customers, and digests")
        with (
            queue,
            crew(
                app="examples.notifications.tasks:queue",
                processes=options.workers,
                threads=THREADS,
                folder=home.folder,
                screen=screen,
            ) as workers,
        ):
            begin = time.monotonic()
            resumed_at, deduplicated = _prepare(queue, plan, workers, screen)
            _send(queue, plan, workers, screen)
            seconds = time.monotonic() - begin
            books = Books(
                resumed_at=resumed_at,
                deduplicated=deduplicated,
                dead=[letter["metadata"] for letter in queue.dead_letters(limit=total)],
                expired=_expired(queue, total),
            )
            digests = queue.count_jobs("complete", task_name="digest")
        deliveries = list(provider.deliveries)
        return answer_of(
            Service(
                plan=plan,
                deliveries=deliveries,
                books=books,
                digests=digests,
                seconds=seconds,
                differences=differences(plan, deliveries, books, made_up.ASKED),
                database=home.database if options.keep else None,
            )
        )


def _prepare(queue: "Queue", plan: Plan, workers: Crew, screen: Screen) -> tuple[float, int]:
    """Store everything while the queue is paused: when it was resumed, and how many alerts
    were found to wait already."""
    from examples.notifications.tasks import MAIL

    queue.set_queue_rate_limit(MAIL, f"{MAIL_RATE}/s")
    queue.set_queue_concurrency(MAIL, MAIL_AT_ONCE)
    queue.pause(MAIL)
    # The first digest, of nothing, says that a worker is there: it could send, but must not.
    workers.finish(queue, screen, more=lambda: not queue.stats()["completed"])
    deduplicated = _enqueue(plan)
    time.sleep(2 * LATE_S)  # until the late codes are too late
    resumed_at = time.monotonic()
    queue.resume(MAIL)
    return resumed_at, deduplicated


def _enqueue(plan: Plan) -> int:
    """Store one job for each message; how many alerts were found to wait already."""
    from examples.notifications.tasks import notify

    for message in (*plan.notices, *plan.hopeless):
        notify(message)
    for message in plan.codes:
        notify(message, expires=timedelta(minutes=5), priority=10)
    for message in plan.late_codes:
        notify(message, expires=LATE_S, priority=10)
    # An alert that still waits need not be sent again.
    raised = [
        notify(message, unique_key=f"alert of {message.tenant}", priority=5)
        for message in plan.alerts
        for _ in range(made_up.ASKED)
    ]
    return sum(job.deduplicated for job in raised)


def _send(queue: "Queue", plan: Plan, workers: Crew, screen: Screen) -> None:
    """Wait until everything is sent, while events happen that end up in digests."""
    from examples.notifications.tasks import is_anything_noted

    coming = list(plan.events)
    note = _events_now_and_then(coming)
    workers.finish(queue, screen, meanwhile=note, more=lambda: bool(coming) or is_anything_noted())


def _events_now_and_then(coming: list[Event]) -> Callable[[], None]:
    """Return what notes an event if it is time for one."""
    from examples.notifications.tasks import happened

    last = 0.0

    def note() -> None:
        nonlocal last
        if coming and time.monotonic() - last >= EVENTS_EVERY_S:
            last = time.monotonic()
            event = coming.pop()
            happened(event.tenant, event.address, event.text)

    return note


def _expired(queue: "Queue", most: int) -> list[str]:
    """The refs of the messages that were not sent in time."""
    jobs = queue.list_jobs("cancelled", limit=most)
    return [job.metadata or "" for job in jobs if job.error == "expired before execution"]
