"""No descriptor is left, or somebody closes ours: an error or a clean end, never a hang."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.processes import PROGRAMS, REPOSITORY, STARTING, Program, Site

CLUMSY = f"{PROGRAMS}.clumsy:queue"


def clumsy_worker(site: Site, *, workers: int = 2) -> Program:
    return site.taskito("worker", "--app", CLUMSY, "--workers", str(workers))


def run(program: str, path: Path) -> None:
    """Run a program with the path of a database; it must end well and say nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=STARTING,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


NO_DESCRIPTOR = """
    import contextlib, resource, sys
    from taskito import Queue, StorageError

    def refused(call):
        try:
            return call()
        except StorageError as error:
            assert path in str(error), error
            return None

    @contextlib.contextmanager
    def no_descriptor():
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
        taken = []
        try:
            while True:
                taken.append(open("/dev/null"))
        except OSError:
            pass
        yield
        for file in taken:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    path = sys.argv[1]
    with Queue(path + "-other") as other:  # loads what is loaded at the first use
        other.enqueue("note", ["x"])
    queue = Queue(path)
    with no_descriptor():
        assert refused(lambda: queue.enqueue("note", ["x"])) is None
        assert refused(lambda: queue.stats()) is None
    first = queue.enqueue("note", ["1"])
    with no_descriptor():
        second = refused(lambda: queue.enqueue("note", ["2"]))
        refused(lambda: queue.stats())
    third = queue.enqueue("note", ["3"])
    acknowledged = [job for job in (first, second, third) if job is not None]
    assert queue.stats()["pending"] == len(acknowledged)
    queue.close()
"""


def test_a_producer_without_descriptors_gets_an_error_and_works_again_with_some(
    tmp_path: Path,
) -> None:
    run(NO_DESCRIPTOR, tmp_path / "jobs.db")


def test_a_worker_whose_job_takes_all_descriptors_goes_on_when_they_are_back(site: Site) -> None:
    gate = site.gate()
    job = site.queue.enqueue("take_all_descriptors", ["taken", str(gate)])
    worker = clumsy_worker(site)
    site.marks.wait("start", "taken", within=STARTING)
    # A second runner is free, and what it runs needs no descriptor.
    meanwhile = site.queue.enqueue("note", ["meanwhile"], max_retries=50)
    gate.unlink()
    assert job.result(timeout=STARTING) > 50
    assert meanwhile.result(timeout=STARTING) == "meanwhile"
    assert site.queue.enqueue("note", ["after"]).result(timeout=30) == "after"
    worker.send(signal.SIGTERM)
    assert worker.wait(STARTING) == 0


@pytest.mark.parametrize("while_it_runs", [True, False])
def test_a_worker_whose_descriptors_a_task_closed_ends_with_75_and_its_jobs_are_recovered(
    site: Site, *, while_it_runs: bool
) -> None:
    gate, other = site.gate(), site.gate("other")
    innocent = site.queue.enqueue("hold", ["innocent", str(other)])
    worker = clumsy_worker(site)
    site.marks.wait("start", "innocent", within=STARTING)
    guilty = site.queue.enqueue("close_everything", ["guilty", str(gate)])
    site.marks.wait("start", "guilty", within=STARTING)
    if not while_it_runs:
        gate.unlink()
    assert worker.wait(STARTING) == os.EX_TEMPFAIL
    assert "closed the files of database" in worker.err
    assert str(site.database) in worker.err
    assert worker.err.count("hint: ") == 1
    assert "Traceback" not in worker.err

    other.unlink()
    clumsy_worker(site, workers=1)
    assert guilty.result(timeout=STARTING) == "run 2"
    assert innocent.result(timeout=STARTING) == "innocent"
    assert [error["attempt"] for error in guilty.errors] == [0]
    assert "WorkerLostError" in guilty.errors[0]["error"]


CLOSE_OURS = """
    import os, sys
    from pathlib import Path
    from taskito import Queue, StorageError

    path = sys.argv[1]
    queue = Queue(path)
    job = queue.enqueue("note", ["x"])
    os.closerange(3, 256)
    home = Path(path).parent
    files = [(home / f"user{n}").open("w") for n in range(30)]  # under the numbers of ours
    for call in (lambda: queue.enqueue("note", ["y"]), lambda: queue.stats()):
        try:
            call()
        except StorageError as error:
            assert path in str(error), error
            assert "closed the files" in str(error), error
            assert "hint: start the process anew" in str(error), error
        else:
            sys.exit("it went on with files of others")
    queue.close()
    for file in files:
        file.write("mine")
        file.close()
    assert {(home / f"user{n}").read_text() for n in range(30)} == {"mine"}
"""


def test_a_producer_whose_descriptors_were_closed_touches_no_file_of_others(site: Site) -> None:
    run(CLOSE_OURS, site.database)
    assert site.queue.stats()["pending"] == 1


DAEMON = """
    import os, sys
    from taskito import Queue

    queue = Queue(sys.argv[1])
    queue.enqueue("note", ["parent"])
    if os.fork() == 0:
        status = 1
        try:
            os.setsid()
            os.closerange(3, 256)  # as daemons do
            logs = [open(os.devnull, "w") for _ in range(30)]  # under the numbers of ours
            queue.enqueue("note", ["child"])
            for log in logs:
                log.write("still mine")
                log.close()
            status = 0
        finally:
            os._exit(status)
    assert os.wait()[1] == 0
    queue.enqueue("note", ["parent again"])
    assert queue.stats()["pending"] == 3
    queue.close()
"""


def test_a_child_that_becomes_a_daemon_may_close_everything_it_inherited(site: Site) -> None:
    run(DAEMON, site.database)
    assert site.queue.stats()["pending"] == 3
