"""The soak runs, here for seconds: ``python -m tests.soak`` does it for ten minutes."""

import subprocess
import sys

import pytest

from tests.soak.sample import Bounds, Sample
from tests.support.processes import REPOSITORY


def test_a_short_soak_finishes_everything_and_nothing_goes_wild() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--seconds", "16", "--every", "2", "--loose"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "PROBLEM" not in done.stdout
    assert "worst p99 of the start latency: " in done.stdout
    # The header, a line for each look, a line of totals, the table, the worst latency.
    lines = done.stdout.splitlines()
    assert len(lines) >= 1 + 5 + 1 + 10 + 1
    attempts = next(line for line in lines if " attempts in " in line).split()[0]
    assert int(attempts.replace(",", "")) > 100


def samples(**growing: float) -> list[Sample]:
    """An hour, in which some values grow evenly by so much in all."""
    flat = {
        "at": 0.0,
        "done": 0.0,
        "worker_mib": 50.0,
        "worker_files": 20.0,
        "worker_threads": 10.0,
        "producer_mib": 40.0,
        "producer_files": 10.0,
        "file_mib": 5.0,
        "log_mib": 10.0,
        "others": 5.0,
        "p99_ms": 9.0,
    }

    def at(minute: int) -> Sample:
        values = {name: value + growing.get(name, 0) * minute / 60 for name, value in flat.items()}
        values["at"] = 60.0 * minute
        return Sample(**values)  # type: ignore[arg-type]  # numbers all of them

    return [at(minute) for minute in range(60)]


def test_what_stays_level_is_fine() -> None:
    assert Bounds().broken_by(samples()) == []
    assert Bounds().broken_by(samples(worker_mib=1.5, done=1e6, p99_ms=100)) == []


@pytest.mark.parametrize(
    ("name", "growth"),
    [
        ("worker_mib", 10),
        ("producer_mib", 10),
        ("worker_files", 40),
        ("worker_threads", 40),
        ("producer_files", 40),
        ("others", 40),
        ("file_mib", 30),
        ("log_mib", 80),
    ],
)
def test_what_grows_too_much_is_named(name: str, growth: float) -> None:
    (problem,) = Bounds().broken_by(samples(**{name: growth}))
    assert name in problem or "log was longer" in problem
