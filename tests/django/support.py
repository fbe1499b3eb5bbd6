"""A project in a folder of its own, with real processes: commands, workers, servers."""

import os
import re
import sqlite3
import sys
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from taskito import Queue
from tests.support.processes import STARTING, Program
from tests.support.until import until

MANAGE = "tests.django.project.manage"


class Project:
    """One home of the test project, and the processes that use it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.programs: list[Program] = []

    @cached_property
    def queue(self) -> Queue:
        """Its queue as this process sees it, without any task."""
        return Queue(self.home / "taskito.db")

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> Program:
        """Start ``python -W error argv...`` in the repository."""
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TASKITO", "PYTEST", "DJANGO"))
        }
        ours = {
            "PROJECT_HOME": str(self.home),
            "DJANGO_SETTINGS_MODULE": "tests.django.project.settings",
        }
        program = Program(
            [sys.executable, *argv],
            env={**clean, **ours, **(env or {})},
            folder=self.home / "programs" / str(len(self.programs)),
        )
        self.programs.append(program)
        return program

    def start(self, *argv: str, env: Mapping[str, str] | None = None) -> Program:
        """Start ``manage.py argv...``."""
        return self.run("-W", "error", "-m", MANAGE, *argv, env=env)

    def manage(self, *argv: str, status: int = 0, within: float = 25) -> Program:
        """Run ``manage.py argv...`` to its end."""
        program = self.start(*argv)
        assert program.wait(within) == status, program.report()
        return program

    def worker(self, *argv: str) -> Program:
        """Start ``taskito_worker`` and wait until it has registered."""
        program = self.start("taskito_worker", *argv)

        def is_there() -> bool:
            assert program.is_running(), program.report()
            return any(row["pid"] == program.pid for row in self.queue.workers())

        until(is_there, within=STARTING)
        return program

    def enqueue(self, *calls: str) -> list[str]:
        """Enqueue in a process of the project; ``add.enqueue(1, b=2)``. The result ids."""
        body = "; ".join(f"print('id', tasks.{call}.id)" for call in calls)
        code = f"from tests.django.project.shop import tasks; {body}"
        done = self.manage("shell", "-v", "0", "-c", code)
        return re.findall(r"^id (\S+)$", done.out, re.MULTILINE)

    def ended(self, job_id: str, within: float = 15) -> Any:
        """Wait for the end of a job and return its handle."""
        job = self.queue.get_job(job_id)
        assert job is not None
        assert job.wait(within), job.to_dict()
        return job

    def orders(self) -> list[tuple[str, bool]]:
        """The orders in Django's database."""
        with closing(sqlite3.connect(self.home / "shop.sqlite3")) as connection:
            rows = connection.execute("SELECT customer, is_confirmed FROM shop_order ORDER BY id")
            return [(customer, bool(confirmed)) for customer, confirmed in rows]

    def close(self) -> None:
        """End every process and show what they printed."""
        for program in self.programs:
            program.end()
        if "queue" in self.__dict__:
            self.queue.close()
        for program in self.programs:
            print(program.report())


@contextmanager
def open_project(home: Path) -> Generator[Project]:
    """A project whose processes are gone when the block ends, however it ends."""
    project = Project(home)
    try:
        yield project
    finally:
        project.close()
