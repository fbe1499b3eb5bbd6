"""The wall clock of a real worker is set by an hour, or differs from that of its producers."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.processes import PROGRAMS, REPOSITORY, STARTING, WORKSHOP, Program, Site
from tests.support.until import until

HOUR = 3600


class SetClock:
    """The clock of one worker, as seconds beside the true time."""

    def __init__(self, home: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("no C compiler builds the clock that is set")
        source = REPOSITORY / PROGRAMS.replace(".", "/") / "clock_shim.c"
        self._library = home / "clock.so"
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", str(self._library), str(source), "-ldl"],
            check=True,
        )
        self._offset = home / "offset"
        self.set(0)

    def set(self, seconds: int) -> None:
        """Step the clock."""
        fresh = self._offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self._offset)

    def worker(self, site: Site) -> Program:
        """Start a worker that goes by this clock."""
        env = {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET": str(self._offset)}
        return site.taskito("worker", "--app", WORKSHOP, "--workers", "2", env=env)


@pytest.fixture
def clock(tmp_path: Path) -> SetClock:
    return SetClock(tmp_path)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_step_of_the_clock_ends_no_job_early_and_holds_none_back(
    site: Site, clock: SetClock, step: int
) -> None:
    gate, bed = site.gate(), site.gate("bed")
    worker = clock.worker(site)
    running = site.queue.enqueue("hold", ["running", str(gate)], timeout=60)
    mark = site.marks.wait("start", "running", within=STARTING)
    snoozing = site.queue.enqueue("snooze_until", ["snoozing", str(bed)])
    site.marks.wait("start", "snoozing", within=STARTING)
    clock.set(step)
    naps = len(site.marks.all("start", "snoozing"))
    # Each nap takes a tenth of a second, whatever the clock says.
    site.marks.wait("start", "snoozing", count=naps + 3)
    # By its own clock the worker is an hour away from this process now.
    assert site.queue.enqueue("note", ["at once"]).result(timeout=30) == "at once"
    flaky = site.queue.enqueue("fail_until", ["flaky", 3])
    assert flaky.result(timeout=30) == "flaky"
    marks = site.marks.all("start", "flaky")
    assert len(marks) == 3
    assert all(abs(mark.clock - time.time() - step) < 60 for mark in marks), "the clock is not set"
    assert running.status == "running"
    assert site.marks.all("start", "running") == [mark]

    clock.set(0)
    assert site.queue.enqueue("note", ["back again"]).result(timeout=30) == "back again"
    bed.unlink()
    assert snoozing.result(timeout=30) == "snoozing"
    gate.unlink()
    assert running.result(timeout=30) == f"running by {worker.pid}"
    assert running.errors == []
    assert len(site.marks.all("start", "running")) == 1
    worker.send(signal.SIGTERM)
    assert worker.wait(STARTING) == 0


def test_two_workers_an_hour_apart_run_each_job_once(site: Site, clock: SetClock) -> None:
    clock.set(-HOUR)
    late = clock.worker(site)
    punctual = site.ready_worker(workers=2)
    until(lambda: site.status_of(late), within=STARTING)
    jobs = [site.queue.enqueue("work", [f"{n}", 0.05], timeout=30) for n in range(60)]
    assert [job.result(timeout=STARTING) for job in jobs] == [f"{n}" for n in range(60)]
    marks = site.marks.all("start")
    assert sorted(int(mark.token) for mark in marks) == list(range(60))
    assert {mark.pid for mark in marks} == {late.pid, punctual.pid}
    assert not any(job.errors for job in jobs)
    assert os.getpid() not in {mark.pid for mark in marks}
