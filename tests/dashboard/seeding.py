"""A database as it is after a busy day, written row by row: a million jobs in seconds.

The library makes the file; the rows are written behind its back, in the shapes it would give them.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from taskito import Queue

DAY_MS = 86_400_000
EPOCH_MS = 1_577_836_800_000
TASKS = ("send_email", "resize_image", "build_report", "charge_card", "sync_user", "clean_up")
QUEUES = ("default", "emails", "media", "reports")
ERRORS = (
    "ConnectionError: SMTP timeout talking to mx{n}.example.com",
    "ValueError: cannot identify image file '/tmp/{n}.png'",
    "RuntimeError: warehouse query failed for org {n}",
    "KeyError: '{n}'",
)
WIDE = 2_000
"""Jobs of the one large workflow."""
GROUPS = 5_000
"""Groups of failures, if so many jobs are dead."""
_TRACE = """Traceback (most recent call last):
  File "/srv/app/app/mail.py", line 88, in send
    self.connection.send(message)
  File "/usr/lib/python3.11/smtplib.py", line 441, in send
    raise error
"""
_INSERT = """
INSERT INTO job (
    id, lane, state, priority, run_at, created_at, max_retries, timeout_ms, retry_count, fence,
    claimed_at, finished_at, dead_letter, waiting_on, workflow, ended_by, error, payload
) VALUES (?, ?, ?, 0, ?, ?, 3, 300000, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def seed(path: Path, jobs: int = 1_000_000, now: int | None = None) -> None:
    """Write a file with so many jobs of the last 24 hours.

    Of a million, 10,000 are dead letters of 5,000 groups, 5,000 cancelled and 392 wait; every
    hundredth belongs to a workflow of ten, and one workflow has 2,000 jobs.

    Args:
        path: A file that does not exist yet.
        jobs: How many.
        now: When the day ends, ms since the epoch; now without it.
    """
    now = time.time_ns() // 1_000_000 if now is None else now
    with Queue(path) as queue:
        queue.stats()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        lanes = [(queue, task) for queue in QUEUES for task in TASKS]
        database.executemany("INSERT INTO lane (queue, task) VALUES (?, ?)", lanes)
        database.executemany(_INSERT, _rows(jobs, len(lanes), now))
        database.execute(
            "INSERT INTO dependency (job, position, parent, is_input)"
            " SELECT id, 0, workflow, 1 FROM job WHERE workflow IS NOT NULL AND workflow <> id"
        )
        database.execute(
            "INSERT INTO attempt (job, attempt, fence, outcome, error, claimed_at, failed_at)"
            " SELECT id, 0, 1, 'failed', error, claimed_at, finished_at FROM job"
            " WHERE state = 'dead'"
        )
        _group(database)
        _count(database)
        _measure(database, len(lanes), now)
        _roll_up(database, len(lanes), now)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _rows(jobs: int, lanes: int, now: int) -> Iterator[tuple[object, ...]]:
    begin = now - DAY_MS
    wide_from = jobs // 2
    workflow = None
    for number in range(jobs):
        at = begin + number * (DAY_MS - 60_000) // jobs
        key = ((at - EPOCH_MS) << 22) | (number << 10 & 0x3FFFFF)
        lane = number % lanes + 1
        state, error, letter, ended_by = "complete", None, None, None
        if number % 100 == 7:
            state, letter = "dead", key + 1
            error = _TRACE + ERRORS[number // 100 % len(ERRORS)].format(n=number)
        elif number % 200 == 9:
            state = "cancelled"
        elif number >= jobs - 392:
            state = "pending"
        if wide_from <= number < wide_from + WIDE:
            workflow = key if number == wide_from else workflow
        elif number // 10 % 100 == 3:
            workflow = key if number % 10 == 0 else workflow
        else:
            workflow = None
        ended = None if state == "pending" else at + 900
        started = None if state == "pending" else at + 800
        yield (
            *(key, lane, state, at, at, 3 if state == "dead" else 0, 0 if ended is None else 1),
            *(started, ended, letter, 0, workflow, ended_by, error),
            b'[[%d, "welcome"], {}]' % number,
        )


def _group(database: sqlite3.Connection) -> None:
    """Part the dead jobs into groups of failures."""
    dead = database.execute("SELECT id, finished_at FROM job WHERE state = 'dead'").fetchall()
    prints = [1 + number % GROUPS * (2**63 // GROUPS) for number in range(len(dead))]
    database.executemany(
        "INSERT INTO failure_group"
        " VALUES (?, ?, 'ConnectionError', ?, 'app.mail:send', ?, ?, 'open')"
        " ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen",
        (
            (*(key, TASKS[number % len(TASKS)], f"{number % GROUPS} says no"), ended, ended)
            for number, (key, (_, ended)) in enumerate(zip(prints, dead, strict=True))
        ),
    )
    pairs = [(key, job) for key, (job, _) in zip(prints, dead, strict=True)]
    database.executemany("UPDATE job SET failure = ? WHERE id = ?", pairs)
    database.executemany("UPDATE attempt SET failure = ?, worker = 'vm:1' WHERE job = ?", pairs)


def _count(database: sqlite3.Connection) -> None:
    states = ("pending", "complete", "dead", "cancelled")
    counts = ", ".join(
        f"{state} = (SELECT count(*) FILTER (WHERE state = '{state}') FROM counted"
        " WHERE counted.lane = lane.id)"
        for state in states
    )
    database.execute("CREATE TEMP TABLE counted AS SELECT lane, state FROM job")
    database.execute("CREATE INDEX temp.counted_lane ON counted (lane)")
    database.execute(f"UPDATE lane SET {counts}")
    database.execute("UPDATE lane SET ready = pending > 0")
    database.execute("DROP TABLE temp.counted")


def _measure(database: sqlite3.Connection, lanes: int, now: int) -> None:
    """Run times of the day: one merged row for each minute and lane, 30 attempts each."""
    samples = b"".join(_packed(2 * (90_000 + 1000 * number)) for number in range(30))
    first = now - DAY_MS
    rows = (
        (
            (((first + minute * 60_000) - EPOCH_MS) << 22) | lane,
            *(lane, first + minute * 60_000, 30, 1, 3_135_000, 90_000, 119_000, samples),
        )
        for minute in range(1440)
        for lane in range(1, lanes + 1)
    )
    database.executemany("INSERT INTO metric VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _roll_up(database: sqlite3.Connection, lanes: int, now: int) -> None:
    """What charts show of the day: by the minute, and the last two hours by ten seconds."""
    fine_from = (now - 2 * 3_600_000) // 60_000 * 60_000
    stretches = [
        *((60_000, at, 30) for at in range(now - DAY_MS, fine_from, 60_000)),
        *((10_000, at, 5) for at in range(fine_from, now, 10_000)),
    ]
    rows = (
        (step, at // step * step, lane, number - 1, 1, 1, *_waits_and_runs(number))
        for step, at, number in stretches
        for lane in range(1, lanes + 1)
    )
    database.executemany("INSERT INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _waits_and_runs(number: int) -> tuple[bytes, bytes]:
    """Two histograms of so many attempts: 20 to 45 ms, 90 to 125 ms."""
    rest = number - number // 2
    return (bytes([10, number // 2, rest]), bytes([14, rest, number // 2]))


def _packed(number: int) -> bytes:
    """A number in groups of seven bits, the lowest first."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
