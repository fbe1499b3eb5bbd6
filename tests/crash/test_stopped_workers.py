"""A worker that is stopped, or killed, while it holds the lock that all writers need."""

import signal
import time
from pathlib import Path

import pytest

from taskito import JobResult, StorageError
from tests.support.pins import within
from tests.support.processes import STARTING, Program, Site
from tests.support.traps import Call, File, Manner, Place, Trap, compiled, trap_in
from tests.support.until import until

APP = "tests.crash.programs.hazards:queue"
HOLDING = [
    pytest.param(Call.TURN + File.BELL, id="turnstile"),
    pytest.param(Call.LOCK + File.WRITER, id="write lock"),
    pytest.param(Call.WRITE + File.LOG, id="half written"),
]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (library := compiled(tmp_path_factory.mktemp("trap"))) is None:
        pytest.skip("no C compiler to make the trap with")
    return library


def is_stopped(worker: Program) -> bool:
    stat = Path(f"/proc/{worker.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def stopped_worker(site: Site, library: Path, place: int) -> tuple[Program, JobResult[object]]:
    """A worker that stopped while it holds the lock, and the job whose outcome it has."""
    path = site.home / "trap"
    trap: Trap = trap_in(path)
    worker = site.taskito(
        *("worker", "--app", APP, "--workers", "1"),
        env={"HAZARD_TRAP": str(path), "LD_PRELOAD": str(library)},
    )
    gate = site.gate()
    job: JobResult[object] = site.queue.enqueue("hold", ["held", str(gate)])
    site.marks.wait("start", "held", within=STARTING)
    trap.arm(Place(number=place, manner=Manner.STOP), 1)
    gate.unlink()
    until(lambda: is_stopped(worker))
    return worker, job


@pytest.mark.parametrize("place", HOLDING[1:])  # each takes the five seconds that writers wait
def test_a_worker_stopped_with_the_lock_holds_up_writers_with_an_error_until_it_goes_on(
    site: Site, library: Path, place: int
) -> None:
    worker, job = stopped_worker(site, library, place)

    def refusal() -> float:
        begin = time.monotonic()
        with pytest.raises(StorageError, match=f"locked by process {worker.pid} ") as caught:
            site.queue.enqueue("note", ["refused"])
        assert "kill -CONT" in str(caught.value.hint)
        return time.monotonic() - begin

    assert within(10, refusal, rounds=3) > 4
    assert site.queue.stats()["running"] == 1, "readers are not held up"

    worker.send(signal.SIGCONT)
    assert job.result(timeout=30) == f"held by {worker.pid}"
    assert site.queue.enqueue("note", ["accepted"]).result(timeout=30) == "accepted"
    assert site.marks.tokens("start") == ["held", "accepted"]
    assert job.errors == []


@pytest.mark.parametrize("place", HOLDING)
def test_a_worker_killed_with_the_lock_holds_up_nobody(
    site: Site, library: Path, place: int
) -> None:
    worker, job = stopped_worker(site, library, place)
    worker.kill()
    accepted = site.queue.enqueue("note", ["accepted"])
    successor = site.worker()
    assert accepted.result(timeout=STARTING) == "accepted"
    # Its function had ended, but nobody was told: it runs again, and that is on record.
    assert job.result(timeout=30) == f"held by {successor.pid}"
    assert site.marks.tokens("start").count("held") == 2
    (error,) = job.errors
    assert "WorkerLostError" in error["error"]
