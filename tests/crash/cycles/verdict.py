"""What became of every job of a campaign: the marks against the database."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taskito import JobResult, Queue, TaskitoError
from tests.e2e.programs.marks import Mark, Marks

PAGE = 500


@dataclass(kw_only=True)
class Verdict:
    """Numbers, and what must not be.

    Attributes:
        tried: tokens that somebody tried to enqueue.
        acknowledged: tokens whose producer was told that the job is stored.
        jobs: rows in the database.
        finished: complete jobs, with the right result and an end that the task noted.
        buried: dead letters, each with three losses on record.
        cascaded: jobs cancelled because their parent was buried.
        lost: acknowledged jobs that are not there, or not finished.
        phantom: jobs nobody tried to enqueue, stored twice, or finished without having run.
        repeats: runs that neither the first one of a job nor a retry explains.
        unexplained: runs without an error record that gives their reason.
        losses: error records that name a lost worker.
        recoveries: seconds from a kill until the first job it interrupted ran elsewhere.
        violations: everything that is wrong, in words.
    """

    tried: int = 0
    acknowledged: int = 0
    jobs: int = 0
    finished: int = 0
    buried: int = 0
    cascaded: int = 0
    lost: int = 0
    phantom: int = 0
    repeats: int = 0
    unexplained: int = 0
    losses: int = 0
    recoveries: list[float] = field(default_factory=list[float])
    violations: list[str] = field(default_factory=list[str])

    def blame(self, what: str) -> None:
        self.violations.append(what)


def judge(database: Path, marks: Marks) -> Verdict:
    """Compare what happened with what is stored. Nothing else uses the database meanwhile."""
    verdict = Verdict()
    story = Marks(marks.path).all()
    tries = {mark.token for mark in story if mark.event == "try"}
    acks = {m.token: m.job_id for m in story if m.event in {"ack", "was there"}}
    starts = Counter(mark.token for mark in story if mark.event == "start")
    ends = {mark.token for mark in story if mark.event == "end"}
    verdict.tried, verdict.acknowledged = len(tries), len(acks)
    with Queue(database) as queue:
        jobs: dict[str, JobResult[Any]] = {}
        for job in all_jobs(queue):
            verdict.jobs += 1
            if job.metadata in jobs or job.metadata not in tries:
                verdict.phantom += 1
                verdict.blame(f"{job.metadata} was stored twice, or nobody tried to")
            jobs[str(job.metadata)] = job
        for token, job_id in acks.items():
            if token not in jobs or jobs[token].id != job_id:
                verdict.lost += 1
                verdict.blame(f"{token} was acknowledged and is not there")
        for token, job in jobs.items():
            look_at(verdict, token, job, starts[token], has_ended=token in ends)
        if any(token not in jobs for token in starts):
            verdict.phantom += 1
            verdict.blame("a job ran that is not stored")
        check_counters(verdict, database, queue.stats())
    verdict.recoveries = recoveries(story)
    check_order(verdict, story)
    for mark in story:
        if mark.event == "torn":
            verdict.blame(f"a batch was stored in part: {mark.token}")
    return verdict


def all_jobs(queue: Queue) -> Iterable[JobResult[Any]]:
    page = queue.list_jobs(limit=PAGE)
    while page:
        yield from page
        if page.next_cursor is None:
            return
        page = queue.list_jobs(limit=PAGE, cursor=page.next_cursor)


def look_at(
    verdict: Verdict, token: str, job: JobResult[Any], starts: int, *, has_ended: bool
) -> None:
    """One job: it has ended as it should, and each run has its reason on record."""
    errors = [str(error["error"]) for error in job.errors]
    losses = sum("WorkerLostError" in error for error in errors)
    verdict.losses += losses
    verdict.repeats += max(0, starts - 1 - (len(errors) - losses))
    if starts > 1 + len(errors):
        verdict.unexplained += starts - 1 - len(errors)
        verdict.blame(f"{token} ran {starts} times with {len(errors)} errors on record")
    if len(errors) - losses > token.startswith("falter:"):
        verdict.blame(f"{token} failed: {errors}")
    match job.status:
        case "complete" if (result := result_of(job)) != token:
            verdict.lost += 1
            verdict.blame(f"{token} has the result {result}")
        case "complete" if not has_ended:
            verdict.phantom += 1
            verdict.blame(f"{token} is complete and its function never ended")
        case "complete":
            verdict.finished += 1
        case "dead" if losses == 3:
            verdict.buried += 1
        case "cancelled" if "dependency failed" in str(job.error):
            verdict.cascaded += 1
        case status:
            verdict.lost += 1
            verdict.blame(f"{token} is {status} with {losses} losses")


def result_of(job: JobResult[Any]) -> object:
    try:
        return job.result(timeout=0)
    except TaskitoError as error:
        return f"of an error: {error}"


def check_counters(verdict: Verdict, database: Path, stats: Mapping[str, int]) -> None:
    """The counters equal the rows, and the file is whole."""
    codes = {"pending": 0, "running": 1, "completed": 2, "failed": 3, "dead": 4, "cancelled": 5}
    with closing(sqlite3.connect(database)) as connection:
        rows = dict(connection.execute("SELECT status, count(*) FROM jobs GROUP BY status"))
        (whole,) = connection.execute("PRAGMA integrity_check").fetchone()
    counted = {name: rows.get(code, 0) for name, code in codes.items()}
    if counted != dict(stats):
        verdict.blame(f"stats() says {stats}, the rows say {counted}")
    if whole != "ok":
        verdict.blame(f"the file is damaged: {whole}")


def check_order(verdict: Verdict, story: list[Mark]) -> None:
    """No child started before its parent had ended."""
    ended: set[str] = set()
    early = 0
    for mark in story:
        name = mark.token.partition(":")[2]
        if mark.event == "end":
            ended.add(mark.token)
        elif mark.event == "start" and mark.token.startswith("child:"):
            early += f"parent:{name}" not in ended
    if early:
        verdict.blame(f"{early} children started before their parent had ended")


def recoveries(story: list[Mark]) -> list[float]:
    """Seconds from each kill to the first new start of a job that the dead process was running."""
    runs: dict[str, list[Mark]] = defaultdict(list)
    open_runs: dict[int, dict[str, Mark]] = defaultdict(dict)
    found: list[float] = []
    waiting: list[tuple[float, set[str]]] = []
    for mark in sorted(story, key=lambda mark: mark.at):
        if mark.event == "start":
            for killed, tokens in waiting:
                if mark.token in tokens:
                    found.append(mark.at - killed)
                    tokens.clear()
            open_runs[mark.pid][mark.token] = mark
            runs[mark.token].append(mark)
        elif mark.event == "end":
            open_runs[mark.pid].pop(mark.token, None)
        elif mark.event == "killed":
            interrupted = set(open_runs.pop(int(mark.token), {}))
            waiting = [entry for entry in waiting if entry[1]] + [(mark.at, interrupted)]
    return found
