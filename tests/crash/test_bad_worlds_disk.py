"""A disk that is full, limited or read-only: an error that says so, and it passes."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from taskito import Queue
from tests.support.mounts import READ_ONLY, SMALL, run_mounted
from tests.support.processes import PROGRAMS, REPOSITORY


def run(*argv: str) -> None:
    """Run ``python -c``; it must end well and say nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", *argv],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=25,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_job_that_ends_on_a_full_disk_is_settled_when_there_is_room(tmp_path: Path) -> None:
    run_mounted(SMALL, tmp_path, "-m", f"{PROGRAMS}.fill_disk_under_worker", str(tmp_path))


LIMITED = textwrap.dedent("""
    import resource, sys, time
    from taskito import Queue, StorageError

    path = sys.argv[1]
    queue = Queue(path)
    acknowledged = [queue.enqueue("note", ["first"]).id]
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, unlimited[1]))
    begin = time.monotonic()
    while True:
        try:
            acknowledged.append(queue.enqueue("note", ["x" * 10_000]).id)
        except StorageError as error:
            assert path in str(error), error
            break
    assert time.monotonic() - begin < 30, "the error came late"
    assert queue.stats()["pending"] == len(acknowledged)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    acknowledged.append(queue.enqueue("note", ["again"]).id)
    assert all(queue.get_job(job_id) for job_id in acknowledged)
    assert queue.stats()["pending"] == len(acknowledged)
    queue.close()
""")


def test_a_limit_on_file_sizes_is_an_error_that_passes_with_the_limit(tmp_path: Path) -> None:
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN, "Python ignores it"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    run(LIMITED, str(tmp_path / "jobs.db"))


WRITE_IN_VAIN = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from taskito import Queue, StorageError

    path = sys.argv[1]
    before = Path(path).read_bytes()
    for _ in range(3):
        queue = Queue(path)
        begin = time.monotonic()
        try:
            queue.enqueue("note", ["x"])
        except StorageError as error:
            assert path in str(error), error
            assert "cannot write" in str(error), error
            assert "hint: give this user write permission" in str(error), error
        else:
            sys.exit("it was written")
        finally:
            queue.close()
        assert time.monotonic() - begin < 30, "the error came late"
    assert Path(path).read_bytes() == before
""")


def test_an_existing_database_on_a_read_only_file_system_is_refused_by_name(
    tmp_path: Path,
) -> None:
    path = tmp_path / "jobs.db"
    with Queue(path) as queue:
        job = queue.enqueue("note", ["before"])
    run_mounted(READ_ONLY, tmp_path, "-c", WRITE_IN_VAIN, str(path))
    with Queue(path) as queue:
        assert queue.get_job(job.id) is not None
        assert queue.enqueue("note", ["after"]).status == "pending"


BECOME_NOBODY = textwrap.dedent("""
    import os, pathlib, sys, time
    from taskito import Queue, StorageError
    for path in (":memory:", "/proc/taskito/jobs.db"):
        try:  # what is imported later could not be read
            Queue(path).enqueue("note", ["x"])
        except StorageError:
            pass
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
""")


def test_a_database_of_another_user_is_refused_by_name() -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        path = Path(home) / "jobs.db"
        with Queue(path) as queue:
            queue.enqueue("note", ["x"])
        assert path.stat().st_mode & 0o777 == 0o600
        if os.geteuid() != 0:
            path.chmod(0)  # nobody else is at hand
        run(BECOME_NOBODY + WRITE_IN_VAIN.replace("Path(path).read_bytes()", "None"), str(path))
