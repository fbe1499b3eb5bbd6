"""The page of the installation: the file, what is deleted next, versions, what is wrong."""

import html
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito.cli import _examine
from taskito_dashboard import create_app
from tests.dashboard.asking import Work, page, words

DAY = 86_400


def card(text: str, name: str) -> str:
    """What a person reads in one card."""
    begin = text.index(f'id="{name}"')
    return words(text[text.index(">", begin) + 1 : text.index("</section>", begin)])


def change(queue: Queue, statement: str) -> None:
    with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as database:
        database.execute(statement)


class TestDatabase:
    def test_it_says_how_the_file_is_kept(self, client: Client, queue: Queue) -> None:
        assert "Oldest job none is stored" in card(page(client, "/system"), "disk")
        queue.enqueue("add", (1, 2))
        change(queue, "UPDATE job SET created_at = created_at - 7200000")
        said = card(page(client, "/system"), "disk")
        assert "Journal mode wal" in said
        assert "Page cache up to 2.0 MiB for each connection" in said
        assert "every migration is applied" in said
        assert "Oldest job stored 2 h ago" in said

    def test_it_works_in_memory(self) -> None:
        with Queue(":memory:") as queue:
            text = page(Client(create_app(queue)), "/system")
        assert "Journal mode memory" in card(text, "disk")
        assert 'id="checks"' not in text


class TestRetention:
    def told(self, queue: Queue) -> str:
        said = card(page(Client(create_app(queue)), "/system"), "disk")
        return said[said.index("Finished jobs") : said.index("This session")].strip()

    def test_without_a_limit_nothing_is_deleted(self, queue: Queue) -> None:
        assert self.told(queue).startswith("Finished jobs never deleted;")

    def test_what_is_near_its_end_is_counted(
        self, queue: Queue, work: Work, tmp_path: Path
    ) -> None:
        queue.enqueue_many("add", [(1, 2)] * 5)
        work()
        change(
            queue,
            f"UPDATE job SET id = id - ({6 * DAY * 1000 + 60_000} << 22)"
            " WHERE id IN (SELECT id FROM job LIMIT 3)",
        )
        with Queue(tmp_path / "jobs.db", result_ttl=7 * DAY) as keeps:
            assert self.told(keeps) == "Finished jobs kept for 7 d; 3 of them go within a day"
        with Queue(tmp_path / "jobs.db", result_ttl=3600) as keeps:
            told = "Finished jobs kept for 1 h; all that there are now go within a day"
            assert self.told(keeps) == told


class TestChecks:
    def test_they_are_those_of_the_doctor(self, client: Client, queue: Queue) -> None:
        queue.stats()
        Path(queue.db_path).chmod(0o644)
        said = card(page(client, "/system"), "checks")
        assert "Permissions ! warn other users may open it (mode 644) → chmod 600" in said
        assert re.search(r"Space ✓ ok [\d,]+ MB free", said)
        assert "Log ✓ ok" in said

    def test_a_network_is_no_place_for_a_file(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def file_system(_file: Path) -> str:
            return "nfs4"

        monkeypatch.setattr(_examine, "_file_system", file_system)
        said = card(page(client, "/system"), "checks")
        assert re.search(r"File system \S fail nfs4 is a network file system → move it", said)


class TestVersions:
    def test_workers_of_another_version_are_told(self, client: Client, queue: Queue) -> None:
        assert "Workers none" in card(page(client, "/system"), "versions")
        with queue._stepping():
            said = card(page(client, "/system"), "versions")
            assert re.search(r"Workers 1 with \S+$", said)
            change(queue, "UPDATE worker SET version = '0.0.1'")
            said = card(page(client, "/system"), "versions")
            assert "Workers 1 with 0.0.1 ! not that of this page" in said


def test_diagnostics_name_no_path_and_no_machine(
    client: Client, queue: Queue, work: Callable[[], None]
) -> None:
    queue.enqueue("add", (1, 2))
    work()
    with queue._stepping():
        text = page(client, "/system")
    (found,) = re.findall(r"<pre data-copy[^>]*>(.*?)</pre>", text, re.DOTALL)
    lines = html.unescape(found).splitlines()
    assert any(re.fullmatch(r"workers 1 x [\d.]+", line) for line in lines)
    assert any(re.fullmatch(r"schema \d+", line) for line in lines)
    assert "file system ok" in lines
    assert "completed 1" in lines
    assert queue.db_path not in found
