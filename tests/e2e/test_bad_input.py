"""Bad worlds and arguments: a clear answer, nothing damaged. Long: each world is a few lines."""

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from taskito import Queue, SchemaVersionError, SerializationError, StorageError
from tests.support import mounts
from tests.support.mounts import run_mounted
from tests.support.processes import PROGRAMS, STARTING, WORKSHOP, Program, Site


def sql(path: Path, *statements: str) -> None:
    """Run statements with Python's own SQLite in a process of its own, then fold the log in."""
    code = textwrap.dedent("""
        import sqlite3, sys
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        for statement in sys.argv[2:]:
            connection.execute(statement).fetchall()
        connection.close()
    """)
    fold = ["PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode=DELETE"]
    subprocess.run([sys.executable, "-c", code, str(path), *statements, *fold], check=True)


def make_database(path: Path, jobs: int = 1) -> None:
    """A database as a program leaves it, in one file."""
    with Queue(path) as queue:
        queue.enqueue_many("note", [("x" * 100,)] * jobs)
    sql(path)


def fails(path: Path, error: type[StorageError], match: str) -> StorageError:
    """Enqueue into this path; the error names the path."""
    queue = Queue(path)
    with pytest.raises(error, match=match) as caught:
        queue.enqueue("note", ["x"])
    assert str(path) in str(caught.value)
    assert Path(str(caught.value.path)) == path
    queue.close()
    return caught.value


def worker_fails(site: Site, *words: str) -> Program:
    """The worker command ends with exit status 1 and an error a person can read."""
    worker = site.worker()
    assert worker.wait(STARTING) == 1
    assert worker.err.startswith("Error: ")
    assert "Traceback" not in worker.err
    for word in (str(site.database), *words):
        assert word in worker.err
    return worker


def below_a_file(home: Path) -> Path:
    (home / "file").write_text("a regular file")
    return home / "file" / "jobs.db"


def in_proc(_: Path) -> Path:
    return Path("/proc/taskito/jobs.db")


def a_directory(home: Path) -> Path:
    (home / "folder").mkdir()
    return home / "folder"


@pytest.mark.parametrize("impossible", [below_a_file, in_proc, a_directory])
def test_a_path_that_cannot_be_written_is_refused_by_name(
    site: Site, impossible: Callable[[Path], Path]
) -> None:
    site.database = impossible(site.home)
    fails(site.database, StorageError, r".")
    worker_fails(site)


def test_a_queue_works_again_once_the_cause_is_gone(tmp_path: Path) -> None:
    path = below_a_file(tmp_path)
    with Queue(path) as queue:
        with pytest.raises(StorageError, match=str(path)):
            queue.enqueue("note", ["x"])
        path.parent.unlink()
        assert queue.enqueue("note", ["x"]).status == "pending"


READ_ONLY = """
import sys
from pathlib import Path
from taskito import Queue, StorageError

path = Path(sys.argv[1]) / "jobs.db"
try:
    Queue(path).enqueue("note", ["x"])
except StorageError as error:
    assert str(path) in str(error), error
    print(error)
else:
    sys.exit("enqueued on a read-only file system")
"""


def test_a_read_only_directory_is_refused_by_name(site: Site) -> None:
    folder = site.home / "read-only"
    folder.mkdir()
    if os.geteuid() != 0:
        folder.chmod(0o500)
        fails(folder / "jobs.db", StorageError, "jobs.db")
    else:  # permissions do not stop root, but a read-only file system does
        run_mounted(mounts.READ_ONLY, folder, "-c", READ_ONLY, str(folder))


def text(path: Path) -> None:
    path.write_text("Dear diary, this is no database.\n" * 400)


def one_line(path: Path) -> None:
    path.write_text("short")


def cut_in_the_header(path: Path) -> None:
    make_database(path)
    os.truncate(path, 60)


def cut_in_the_first_page(path: Path) -> None:
    make_database(path)
    os.truncate(path, 1000)


def cut_in_the_middle(path: Path) -> None:
    make_database(path, jobs=1000)
    os.truncate(path, path.stat().st_size // 2)


def random_bytes_with_the_magic(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + os.urandom(8176))


@pytest.mark.parametrize(
    "damage",
    [
        text,
        one_line,
        cut_in_the_header,
        cut_in_the_first_page,
        cut_in_the_middle,
        random_bytes_with_the_magic,
    ],
)
def test_a_file_that_is_no_intact_database_is_refused_and_left_as_it_was(
    site: Site, damage: Callable[[Path], None]
) -> None:
    damage(site.database)
    before = site.database.read_bytes()
    fails(site.database, StorageError, r".")
    worker_fails(site)
    assert site.database.read_bytes() == before


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE accounts (id INTEGER)", "PRAGMA user_version=7"),
        ("CREATE TABLE jobs (id INTEGER)", "INSERT INTO jobs VALUES (1)"),
        ("CREATE VIEW jobs AS SELECT 1",),
    ],
)
def test_a_database_of_another_program_is_refused_and_left_as_it_was(
    site: Site, statements: tuple[str, ...]
) -> None:
    sql(site.database, *statements)
    before = site.database.read_bytes()
    fails(site.database, StorageError, r".")
    worker_fails(site)
    assert site.database.read_bytes() == before


def test_tables_of_another_program_do_no_harm(site: Site) -> None:
    sql(site.database, "CREATE TABLE accounts (id INTEGER)", "INSERT INTO accounts VALUES (42)")
    job = site.queue.enqueue("note", ["beside them"])
    site.worker()
    assert job.result(timeout=STARTING) == "beside them"
    site.close()
    with sqlite3.connect(site.database) as connection:
        assert connection.execute("SELECT id FROM accounts").fetchall() == [(42,)]
    connection.close()


def test_a_newer_schema_is_refused_and_left_as_it_was(site: Site) -> None:
    make_database(site.database)
    sql(site.database, "PRAGMA user_version=999")
    before = site.database.read_bytes()
    error = fails(site.database, SchemaVersionError, r"schema 999")
    assert error.hint is not None
    assert "upgrade taskito" in error.hint
    worker_fails(site, "999", "hint: ")
    assert site.database.read_bytes() == before


def test_an_argument_that_cannot_be_serialized_stores_nothing(site: Site) -> None:
    with pytest.raises(SerializationError, match="lock") as caught:
        site.queue.enqueue("note", [threading.Lock()])
    assert caught.value.__cause__ is not None
    with pytest.raises(SerializationError):
        site.queue.enqueue_many("note", [("fine",), (threading.Lock(),)])
    assert set(site.queue.stats().values()) == {0}


def test_an_unknown_option_of_a_task_is_refused_with_the_nearest_one(site: Site) -> None:
    with pytest.raises(TypeError, match=r"unknown option 'retry'.*\n.*hint:.*max_retries"):
        site.queue.task(name="send", retry=3)  # type: ignore[call-overload]


def test_an_unknown_option_of_a_call_is_refused_and_nothing_is_stored(site: Site) -> None:
    def send() -> None: ...

    task = site.queue.task(name="send")(send)
    with pytest.raises(TypeError, match="retries"):
        task.apply_async(retries=3)  # type: ignore[call-arg]
    assert set(site.queue.stats().values()) == {0}


def test_arguments_that_do_not_fit_the_function_are_refused_and_nothing_is_stored(
    site: Site,
) -> None:
    def send(to: str) -> None: ...

    task = site.queue.task(name="send")(send)
    with pytest.raises(TypeError, match="to"):
        task.delay()  # type: ignore[call-arg]
    assert set(site.queue.stats().values()) == {0}


@pytest.mark.parametrize(
    ("app", "message"),
    [
        (PROGRAMS, f"Error: --app must be in 'module:attribute' format, got '{PROGRAMS}'"),
        ("no_such_module:queue", "Error: could not import module 'no_such_module': "),
        (f"{PROGRAMS}.workshop:kew", f"Error: module '{PROGRAMS}.workshop' has no attribute 'kew'"),
        (f"{PROGRAMS}.workshop:marks", f"Error: '{PROGRAMS}.workshop:marks' is not a Queue"),
    ],
)
def test_a_wrong_app_is_explained(site: Site, app: str, message: str) -> None:
    worker = site.taskito("worker", "--app", app)
    assert worker.wait(STARTING) == 1
    assert worker.err.startswith(message)
    assert "Traceback" not in worker.err
    assert worker.out == ""


def test_a_wrong_app_says_what_was_found_instead_of_a_queue(site: Site) -> None:
    worker = site.taskito("worker", "--app", f"{PROGRAMS}.workshop:marks")
    assert worker.wait(STARTING) == 1
    assert "is not a Queue instance (got Marks)" in worker.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("worker",),
        ("worker", "--app", WORKSHOP, "--bogus"),
        ("no-such-command",),
        ("worker", "--app", WORKSHOP, "--workers", "many"),
    ],
)
def test_wrong_usage_exits_with_2_and_no_traceback(site: Site, arguments: tuple[str, ...]) -> None:
    command = site.taskito(*arguments)
    assert command.wait(STARTING) == 2
    assert command.err
    assert "Traceback" not in command.err
    assert not site.database.exists()


def test_the_application_may_be_named_by_the_environment(site: Site) -> None:
    site.taskito("worker", env={"TASKITO_APP": WORKSHOP})
    assert site.queue.enqueue("note", ["named"]).result(timeout=STARTING) == "named"


def test_the_installed_script_finds_modules_of_the_current_directory(site: Site) -> None:
    script = Path(sys.executable).with_name("taskito")
    site.run(str(script), "worker", "--app", WORKSHOP)
    assert site.queue.enqueue("note", ["found"]).result(timeout=STARTING) == "found"
