"""The end of the demo: a table for people, one document for programs."""

import dataclasses
from collections.abc import Iterator

from examples.common.program import Answer
from examples.common.screen import Paint
from examples.wordcount.files import printable
from examples.wordcount.model import UNFINISHED, Report

LISTED_AT_MOST = 12


def answer_of(report: Report) -> Answer:
    """Return what the command prints."""
    return Answer(
        document=as_document(report),
        table=lambda paint: rows_of(report, paint),
        problem=_problem(report),
    )


def as_document(report: Report) -> dict[str, object]:
    """Return what ``--json`` prints; names of files are made printable."""
    totals, kill, cost = report.totals, report.kill, report.cost
    comparison = report.comparison
    return {
        "files": report.jobs,
        "counted": totals.counted,
        "bytes": totals.size,
        "words": totals.words,
        "top_terms": dict(totals.terms),
        "retries": report.retries,
        "threads": report.threads,
        "enqueue_s": round(report.enqueue_s, 4),
        "run_s": round(report.run_s, 4),
        "jobs_per_s": round(report.jobs / report.run_s, 1),
        "kill": kill
        and cost
        and {
            "pid": kill.pid,
            "done": kill.done,
            "held": kill.held,
            "interrupted": len(cost.interrupted),
            "losses_on_record": report.losses,
            "unrecorded": cost.unrecorded,
            "ran_twice": cost.ran_twice,
            "first_again_s": cost.first_again_s,
            "all_again_s": cost.all_again_s,
            "all_finished_s": cost.all_finished_s,
        },
        "dead_letters": [
            {"file": printable(path), **dataclasses.asdict(failure)}
            for path, failure in report.dead.items()
        ],
        "check": {
            "agrees": not comparison.differences,
            "differences": list(comparison.differences),
            "changed": [printable(path) for path in comparison.changed],
            "loop_s": round(report.loop_s, 4),
        },
        "database": report.database and printable(report.database),
    }


def rows_of(report: Report, paint: Paint) -> Iterator[tuple[str, list[str]]]:
    """Yield the lines a person reads, each group with its label."""
    totals = report.totals
    megabytes = totals.size / 1e6
    unreadable = f", {totals.failed:,} unreadable" if totals.failed else ""
    yield "files", [f"{totals.counted:,} counted{unreadable}, {megabytes:,.1f} MB"]
    yield "words", [f"{totals.words:,}"]
    yield "top terms", [" · ".join(f"{term} {n:,}" for term, n in totals.terms)]
    rate = f"{report.jobs / report.run_s:,.0f} jobs/s"
    how = f"{report.jobs:,} jobs in {report.run_s:.1f} s, {report.threads} threads"
    yield "speed", [f"{rate}: {how}, start-up included"]
    yield "retries", [f"{report.retries:,}"]
    yield "the kill", _kill_rows(report, paint)
    yield "dead", _dead_rows(report, paint)
    yield "check", _check_rows(report, paint)
    if report.database:
        path = printable(report.database)
        yield "kept", [path, f"look inside: taskito info --db {path}"]


def _kill_rows(report: Report, paint: Paint) -> list[str]:
    kill, cost = report.kill, report.cost
    if not kill or not cost:
        return ["none"]
    running = len(cost.interrupted)
    rows = [f"worker {kill.pid} died with {kill.done:,} jobs done and {_jobs(running)} running"]
    if (idle := kill.held - running - cost.unrecorded) > 0:
        rows.append(f"{_jobs(idle)} it held but had not begun went back untouched")
    if cost.unrecorded:
        rows.append(f"{_jobs(cost.unrecorded)} had just ended, not yet on record as done")
    if cost.first_again_s is not None and cost.all_again_s is not None:
        finished = (
            "" if cost.all_finished_s is None else f", finished after {cost.all_finished_s:.2f} s"
        )
        first = f"running again {cost.first_again_s:.2f}"
        last = "" if running == 1 else f" to {cost.all_again_s:.2f}"
        rows.append(f"{first}{last} s after the kill{finished}")
    lost = sum(failure.kind == UNFINISHED for failure in report.dead.values())
    fate = paint.red(f"{lost:,} were lost") if lost else paint.green("none was lost")
    rows.append(f"{_jobs(cost.ran_twice)} ran twice; {fate}")
    return rows


def _dead_rows(report: Report, paint: Paint) -> list[str]:
    if not report.dead:
        return ["none"]
    rows = [paint.red(f"{len(report.dead):,}")]
    for path, failure in list(report.dead.items())[:LISTED_AT_MOST]:
        rows.append(f"{printable(path)}")
        rows.append(f"  {printable(str(failure))}")
    if (more := len(report.dead) - LISTED_AT_MOST) > 0:
        rows.append(f"... and {more:,} more: --json lists them all")
    return rows


def _check_rows(report: Report, paint: Paint) -> list[str]:
    comparison = report.comparison
    rows: list[str] = []
    if comparison.changed:
        rows.append(f"{len(comparison.changed):,} files changed meanwhile and were left out")
    if not comparison.differences:
        dead = len(report.dead)
        errors = f", {_many(dead, 'error')}" if dead else ""
        what = f"{report.totals.counted:,} hashes and word counts{errors} and the merged terms"
        return [*rows, paint.green(f"✓ {what} equal a plain loop's") + f" ({report.loop_s:.1f} s)"]
    rows.append(paint.red(f"✗ {len(comparison.differences):,} numbers differ from a plain loop's"))
    rows += [f"  {printable(line)}" for line in comparison.differences[:LISTED_AT_MOST]]
    return rows


def _problem(report: Report) -> str | None:
    differences = report.comparison.differences
    if not differences:
        return None
    first, count = printable(differences[0]), len(differences)
    return f"the jobs and the plain loop disagree on {count:,} numbers: {first}"


def _jobs(number: int) -> str:
    return _many(number, "job")


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
