"""The other commands of ``manage.py``."""

import re
import signal
import urllib.request
from typing import Any

import pytest

from tests.django.project.shop import tasks
from tests.django.support import MANAGE, PATIENCE, Project
from tests.support.until import until

# Several processes of Django, one after the other, on a busy machine.
pytestmark = pytest.mark.timeout(300)


class TestInfo:
    def test_it_counts_the_jobs(self, project: Project) -> None:
        tasks.add.enqueue(1)
        tasks.add.enqueue(2)

        out = project.manage("taskito_info").out

        assert out.startswith("taskito queue statistics\n")
        assert re.search(r"^  pending +2$", out, re.MULTILINE)

    def test_it_can_be_watched(self, project: Project) -> None:
        program = project.start("taskito_info", "--watch")
        until(lambda: "Refreshing every 2s" in program.out, within=PATIENCE)
        program.send(signal.SIGINT)

        assert program.wait(PATIENCE) == 0


class TestCheck:
    def test_it_is_content_when_all_can_run(self, project: Project) -> None:
        tasks.add.enqueue(1, b=2)
        tasks.who_am_i.enqueue("ann")

        assert project.manage("taskito_check").out == "all that waits can run\n"

    def test_it_names_what_cannot_run(self, project: Project) -> None:
        too_many: list[Any] = [1, 2, 3]
        tasks.add.enqueue(*too_many)
        tasks.who_am_i.enqueue(*too_many)
        project.queue.enqueue("nobody.has_it")

        done = project.manage("taskito_check", status=1)

        assert done.out.count("bad_arguments") == 2
        assert "unknown_task" in done.out


class TestDashboard:
    def test_it_serves_the_page(self, project: Project) -> None:
        # The server that it is made of leaves a file to the garbage collector: no -W error.
        argv = ("taskito_dashboard", "--host", "localhost", "--port", "0")
        program = project.run("-m", MANAGE, *argv)
        until(lambda: "http://" in program.out, within=PATIENCE)
        found = re.search(r"http://\S+", program.out)
        assert found is not None
        assert found[0].startswith("http://localhost:")
        with urllib.request.urlopen(found[0], timeout=PATIENCE) as answer:
            assert b"taskito dashboard" in answer.read()
        program.send(signal.SIGINT)

        assert program.wait(PATIENCE) == 0
        assert "Traceback" not in program.err


class TestEveryCommand:
    def test_a_database_that_cannot_be_used_is_explained_without_traceback(
        self, project: Project
    ) -> None:
        (project.home / "taskito.db").write_bytes(b"no database at all" * 100)

        for command in ("taskito_info", "taskito_check", "taskito_worker"):
            done = project.manage(command, status=1)
            assert "taskito.db" in done.err
            assert "Traceback" not in done.err

    def test_other_commands_touch_no_database(self, project: Project) -> None:
        for command in ("check", "showmigrations"):
            project.manage(command)

        assert {file.name for file in project.home.iterdir()} <= {"programs", "shop.sqlite3"}
