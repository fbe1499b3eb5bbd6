"""Databases that cannot be used: the page says what to do, and heals by itself."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard import create_app
from tests.dashboard.asking import get, page, words

Repair: TypeAlias = Callable[[], object]


def not_a_database(file: Path) -> Repair:
    file.write_bytes(b"this is a shopping list\n" * 200)
    return file.unlink


def of_another_program(file: Path) -> Repair:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE job (item TEXT)")
    return file.unlink


def of_a_newer_taskito(file: Path) -> Repair:
    with Queue(file) as queue:
        queue.stats()

    def set_schema(number: int) -> None:
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(f"PRAGMA user_version = {number}")

    with closing(sqlite3.connect(file)) as database:
        (known,) = database.execute("PRAGMA user_version").fetchone()
    set_schema(99)
    return lambda: set_schema(known)


def a_directory(file: Path) -> Repair:
    file.mkdir()
    return file.rmdir


def below_a_file(file: Path) -> Repair:
    file.parent.rmdir()
    file.parent.write_text("no directory")

    def repair() -> None:
        file.parent.unlink()
        file.parent.mkdir()

    return repair


def unreadable(file: Path) -> Repair:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    with Queue(file) as queue:
        queue.stats()
    file.chmod(0)
    return lambda: file.chmod(0o600)


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (not_a_database, "that of another file"),
        (of_another_program, "another program's database"),
        (of_a_newer_taskito, "a newer taskito has opened this file"),
        (a_directory, "see that the path is a file"),
        (below_a_file, "director"),
        (unreadable, "permission"),
    ],
)
def test_the_page_says_what_to_do_until_it_is_repaired(
    tmp_path: Path, breaks: Callable[[Path], Repair], says: str
) -> None:
    file = tmp_path / "data" / "jobs.db"
    file.parent.mkdir()
    repair = breaks(file)
    with Queue(file) as queue:
        client = Client(create_app(queue))
        for address in ("/", "/jobs", "/workflows", "/system"):
            html = page(client, address, 503)
            text = words(html)
            assert "The database cannot be used" in text
            assert str(file) in text
            assert says in text.lower()
            assert 'class="hint"' in html, text
            assert '<meta http-equiv="refresh" content="5">' in html
        document = get(client, "/api/stats", 503)
        assert document["error"]
        assert document["hint"]
        assert client.get("/healthz").status_code == 503

        repair()
        assert client.get("/").status_code == 200
        assert get(client, "/api/stats")["pending"] == 0
        assert client.get("/healthz").status_code == 200


def test_a_file_that_is_locked_is_waited_for_and_then_told(tmp_path: Path) -> None:
    file = tmp_path / "jobs.db"
    with Queue(file) as queue:
        client = Client(create_app(queue))
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("CREATE TABLE taskito_lock (one INTEGER)")
            other.execute("DROP TABLE taskito_lock")
            other.execute("BEGIN EXCLUSIVE")
            text = words(page(client, "/", 503))
            assert "tries again every 5 s" in text
            assert "a backup holds a lock on the file" in text
            other.execute("ROLLBACK")
        assert client.get("/").status_code == 200
