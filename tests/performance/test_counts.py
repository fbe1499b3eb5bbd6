"""What a call costs in calls to the kernel, counted in real processes.

Counts do not depend on how busy the machine is, so they hold in CI where times do not. What
SQLite does for a job is counted in ``packages/taskito-core/tests/counts``. A bound that is
exceeded is a regression, or a price somebody decided to pay: then it changes in that commit.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.performance.count_calls import CALLS, DRAINED
from tests.support.processes import REPOSITORY

Count = Callable[[str, str], dict[str, int]]
BOTH = pytest.mark.parametrize("durability", ["full", "normal"])
WITHIN_S = 25


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not sys.platform.startswith("linux"):
        pytest.skip("calls are counted through the dynamic linker of Linux")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler builds the counter")
    library = tmp_path_factory.mktemp("shim") / "tally.so"
    source = Path(__file__).with_name("tally.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return library


@pytest.fixture
def count(shim: Path, tmp_path: Path) -> Count:
    def counted(thing: str, durability: str) -> dict[str, int]:
        words = [thing, str(tmp_path / "jobs.db"), durability]
        done = subprocess.run(
            [sys.executable, "-m", "tests.performance.count_calls", *words],
            cwd=REPOSITORY,
            env={**os.environ, "LD_PRELOAD": str(shim)},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, int] = json.loads(done.stdout)
        return found

    return counted


def test_each_call_is_flushed_once_in_full(count: Count) -> None:
    assert count("one_by_one", "full")["flushes"] == CALLS


def test_no_call_is_flushed_in_normal(count: Count) -> None:
    assert count("one_by_one", "normal")["flushes"] == 0


@BOTH
def test_a_call_writes_once_and_takes_few_locks(count: Count, durability: str) -> None:
    calls = count("one_by_one", durability)
    # All pages of a commit and their headers go to the log together.
    assert CALLS <= calls["writes"] <= 1.1 * CALLS, calls
    assert 7 * CALLS <= calls["locks"] <= 8.5 * CALLS, calls
    # Nobody sleeps, so no doorbell is rung; the end of a flush is told whether or not.
    assert calls["futexes"] <= 0.1 * CALLS, calls


@BOTH
def test_a_thousand_jobs_in_one_call_are_one_transaction(count: Count, durability: str) -> None:
    calls = count("together", durability)
    assert calls["flushes"] == (1 if durability == "full" else 0)
    assert calls["writes"] <= 2, calls
    assert calls["locks"] <= 25, calls


@BOTH
def test_looking_writes_nothing(count: Count, durability: str) -> None:
    calls = count("look", durability)
    assert calls["writes"] == calls["flushes"] == 0, calls
    assert calls["locks"] <= 2.5 * CALLS, calls


@BOTH
def test_a_worker_settles_in_batches_and_flushes_none(count: Count, durability: str) -> None:
    """Batches depend a little on timing, so these bounds are wide."""
    calls = count("drain", durability)
    assert calls["writes"] <= 0.1 * DRAINED, calls
    assert calls["locks"] <= 0.2 * DRAINED, calls
    # Moving the log into the file, about once a second, is flushed.
    assert calls["flushes"] <= 0.01 * DRAINED, calls
