"""Two to eight workers on one file: each job once. ``python -m tests.crash.crowd`` does 20,000."""

from pathlib import Path

import pytest

from tests.crash.crowd import share_out
from tests.support.processes import open_site


@pytest.mark.parametrize(("workers", "jobs"), [(3, 1200), (8, 1600)])
def test_jobs_enqueued_by_two_processes_run_once_whatever_the_number_of_workers(
    tmp_path: Path, workers: int, jobs: int
) -> None:
    with open_site(tmp_path, durability="normal") as site:
        shares = share_out(site, workers=workers, producers=2, jobs=jobs, within=60)
    assert len(shares.wanted) == jobs
    assert shares.not_once == 0
    assert shares.counts["completed"] == sum(shares.counts.values()) == jobs
    assert len(shares.by_worker) > 1, "one worker took all"
