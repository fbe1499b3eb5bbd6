"""200 kills at random and named moments: nothing is lost, nothing runs again without a reason.

``python -m tests.crash.cycles --cycles 2000`` does more of the same and prints what it saw.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from statistics import median

import pytest

from tests.support.processes import REPOSITORY

RECOVERY = 2
"""Seconds from the death of a worker to the new run of its job, see ``docs/guarantees.md``."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("durability", "cycles"), [("full", 120), ("normal", 80)])
def test_nothing_is_lost_when_producers_and_workers_are_killed_again_and_again(
    durability: str, cycles: int, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, "-m", "tests.crash.cycles", "--json"]
    options = ["--cycles", str(cycles), "--durability", durability]
    done = subprocess.run(
        [*command, *options],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=220,
    )
    assert done.stdout, done.stderr
    seen = json.loads(done.stdout)
    assert seen["violations"] == []
    assert done.returncode == 0, done.stderr

    assert sum(seen["kills"].values()) == cycles
    # By how much a small choice of moments at random must differ at the least.
    assert len(seen["kills"]) > (10 if seen["traps"] else 5), seen["kills"]
    assert seen["acknowledged"] > 5 * cycles
    assert seen["finished"] + seen["buried"] + seen["cascaded"] == seen["jobs"] <= seen["tried"]
    assert (seen["lost"], seen["phantom"], seen["unexplained"]) == (0, 0, 0)
    assert seen["repeats"] <= seen["losses"]
    record_property("recovery_seconds", seen["recoveries"])
    print(f"{seen['kills']}, recovered {len(seen['recoveries'])} times")
    assert median(seen["recoveries"]) < RECOVERY
