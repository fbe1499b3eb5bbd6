"""What pages ask of the database costs the same with four times as many jobs.

Counted in steps of SQLite's machine, which are the same on every computer, not in time.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.dashboard.seeding import seed
from tests.support.processes import REPOSITORY

STATEMENTS = REPOSITORY / "packages/taskito-core/src/store/sqlite/sql"
FEW, MANY = 12_000, 48_000
NOW = 1_800_000_000_000
QUESTIONS: dict[str, dict[str, object]] = {
    "jobs": {
        "from": 0,
        "to": 2**63 - 1,
        "status": None,
        "queue": None,
        "task": None,
        "created_from": 0,
        "created_to": 2**62,
        "metadata": None,
        "error": None,
        "limit": 51,
        "offset": 0,
    },
    "workflows": {"before": 2**63 - 1, "limit": 10},
    "tally": {"most": 10_000},
    "members": {"after": 0, "limit": 500},
    "dead_letters": {"before": 2**63 - 1, "queue": None, "task": None, "limit": 51, "offset": 0},
    "oldest_letters": {"after": 0, "queue": None, "task": None, "limit": 20},
    "lane_counts": {},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("seeded")
    found = [folder / "few.db", folder / "many.db"]
    for file, jobs in zip(found, (FEW, MANY), strict=True):
        seed(file, jobs, NOW)
    return found


def steps(file: Path, name: str) -> int:
    """How many steps a statement takes, all its rows read."""
    with closing(sqlite3.connect(file)) as database:
        (workflow,) = database.execute("SELECT max(workflow) FROM job").fetchone()
    statement = (STATEMENTS / f"{name}.sql").read_text()
    return steps_of(file, statement, {**QUESTIONS[name], "workflow": workflow})


@pytest.mark.parametrize("name", QUESTIONS)
def test_four_times_as_many_jobs_cost_no_more_steps(files: list[Path], name: str) -> None:
    few, many = (steps(file, name) for file in files)

    assert many <= 1.2 * few, (few, many)


def test_the_count_tells_a_statement_that_reads_everything(files: list[Path]) -> None:
    few, many = (
        steps_of(file, "SELECT count(*) FROM job WHERE priority = 0 AND payload <> ''")
        for file in files
    )

    assert many > 3 * few


def steps_of(file: Path, statement: str, values: Mapping[str, object] | None = None) -> int:
    with closing(sqlite3.connect(file)) as database:
        taken = [0]

        def step() -> int:
            taken[0] += 1
            return 0

        database.set_progress_handler(step, 1)
        assert database.execute(statement, values or {}).fetchall()
    return taken[0]
