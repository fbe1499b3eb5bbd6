"""Schedules of real workers: every fire becomes one job, whoever lives and dies meanwhile."""

import signal
import sqlite3
import time
from itertools import pairwise

from tests.support.processes import PROGRAMS, STARTING, Program, Site
from tests.support.until import until

SECOND = 1000
CLOCKWORK = f"{PROGRAMS}.clockwork:queue"


def clockwork(site: Site) -> Program:
    """Start a worker of the clockwork and wait until it has registered."""
    program = site.taskito("worker", "--app", CLOCKWORK, "--workers", "2")
    until(lambda: site.status_of(program) == "active", within=STARTING)
    return program


def fires(site: Site, schedule: str) -> list[int]:
    """The fire times of all jobs of a schedule, oldest first."""
    with sqlite3.connect(site.database) as connection:
        rows = connection.execute(
            "SELECT fire_time FROM jobs WHERE schedule_name = ? ORDER BY id", [schedule]
        )
        return [time for (time,) in rows]


def lateness(site: Site, schedule: str) -> list[int]:
    """By how much the jobs of missed fires came too late."""
    with sqlite3.connect(site.database) as connection:
        rows = connection.execute(
            "SELECT created_at - fire_time AS late FROM jobs"
            " WHERE schedule_name = ? AND created_at - fire_time > 10000",
            [schedule],
        )
        return [late for (late,) in rows]


def gaps(times: list[int]) -> list[int]:
    """The milliseconds between two fires."""
    return [later - earlier for earlier, later in pairwise(times)]


def test_two_workers_fire_each_second_once(site: Site) -> None:
    for _ in range(2):
        clockwork(site)
    until(lambda: len(fires(site, "cron")) >= 6)
    for schedule in ("cron", "every"):
        times = fires(site, schedule)
        assert set(gaps(times)) == {SECOND}, times
    assert fires(site, "yearly") == []
    assert {row["name"]: row["active"] for row in site.queue.list_periodic()} == {
        "cron": True,
        "every": True,
        "yearly": True,
    }


def test_a_worker_starts_each_fire_of_every_second(site: Site) -> None:
    site.taskito("worker", "--app", CLOCKWORK)
    site.marks.wait("start", "cron", within=STARTING)
    until(lambda: len(site.marks.all("start", "cron")) >= 9)
    assert set(gaps(fires(site, "cron"))) == {SECOND}


def test_a_killed_worker_takes_no_fire_along_and_leaves_none_twice(site: Site) -> None:
    first, second = clockwork(site), clockwork(site)
    for victim in (first, second):
        until(lambda: len(fires(site, "cron")) >= 2)
        victim.kill()
        clockwork(site)
    count = len(fires(site, "cron"))
    until(lambda: len(fires(site, "cron")) >= count + 2)
    assert set(gaps(fires(site, "cron"))) == {SECOND}


def test_fires_missed_while_nobody_lived_become_one_job(site: Site) -> None:
    victim = clockwork(site)
    until(lambda: fires(site, "every"))
    victim.kill()
    # As if the night had passed.
    with sqlite3.connect(site.database) as connection:
        connection.execute("UPDATE schedule SET next_run = next_run - 3600000")
    # The row of a dead worker makes no schedule active.
    assert not any(row["active"] for row in site.queue.list_periodic())
    known = len(fires(site, "cron"))
    clockwork(site)
    until(lambda: len(fires(site, "cron")) > known + 2)
    (late,) = lateness(site, "cron")
    assert 10 * SECOND < late < 12 * SECOND
    assert lateness(site, "every") == []


def test_an_operator_pauses_resumes_and_triggers_what_another_process_declares(
    site: Site,
) -> None:
    clockwork(site)
    until(lambda: fires(site, "cron"))
    assert site.queue.pause_periodic("cron")
    paused = fires(site, "cron")
    others = len(fires(site, "every"))
    until(lambda: len(fires(site, "every")) >= others + 3)
    assert fires(site, "cron") == paused
    job = site.queue.trigger_periodic("yearly")
    site.marks.wait("start", "yearly")
    assert job.wait(timeout=30)
    assert site.queue.resume_periodic("cron")
    resumed = time.time() * SECOND
    until(lambda: len(fires(site, "cron")) >= len(paused) + 2)
    assert fires(site, "cron")[len(paused)] > resumed - SECOND


def test_a_worker_that_is_told_to_end_fires_nothing_more(site: Site) -> None:
    worker = clockwork(site)
    until(lambda: fires(site, "cron"))
    worker.send(signal.SIGTERM)
    assert worker.wait(within=30) == 0
    rows = {row["name"]: row for row in site.queue.list_periodic()}
    assert not any(row["active"] for row in rows.values())
    assert rows["cron"]["last_run"] == fires(site, "cron")[-1]
    assert rows["cron"]["next_run"] == rows["cron"]["last_run"] + SECOND


def test_a_worker_says_which_schedules_it_fires(site: Site) -> None:
    worker = clockwork(site)
    until(lambda: "ready" in worker.out)
    assert "schedules 3: cron every yearly\n" in worker.out
