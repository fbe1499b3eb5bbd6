"""A project in a folder of its own, with real processes: commands, workers, servers."""

import os
import sqlite3
import sys
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from taskito import Queue
from tests.support.processes import Program
from tests.support.until import until

MANAGE = "tests.django.project.manage"
PATIENCE = 60
"""Seconds that anything a process of Django does may take on a busy machine."""


class Project:
    """One home of the test project, and the processes that use it.

    Attributes:
        queue: The queue of the project in this process, on the database of that home.
    """

    def __init__(self, home: Path, queue: Queue) -> None:
        self.home = home
        self.queue = queue
        self.programs: list[Program] = []

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
            "HOME": str(self.home),  # gunicorn keeps a socket there
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

    def manage(self, *argv: str, status: int = 0, within: float = PATIENCE) -> Program:
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

        until(is_there, within=PATIENCE)
        return program

    def ended(self, job_id: str, within: float = PATIENCE) -> Any:
        """Wait for the end of a job and return its handle."""
        job = self.queue.get_job(job_id)
        assert job is not None
        assert job.wait(within), job.to_dict()
        return job

    def order(self, customer: str) -> int:
        """Store an order and return its number."""
        with closing(sqlite3.connect(self.home / "shop.sqlite3")) as connection, connection:
            insert = "INSERT INTO shop_order (customer, is_confirmed) VALUES (?, 0)"
            return connection.execute(insert, [customer]).lastrowid or 0

    def orders(self) -> list[tuple[str, bool]]:
        """The orders in Django's database."""
        with closing(sqlite3.connect(self.home / "shop.sqlite3")) as connection:
            rows = connection.execute("SELECT customer, is_confirmed FROM shop_order ORDER BY id")
            return [(customer, bool(confirmed)) for customer, confirmed in rows]

    def close(self) -> None:
        """End every process and show what they printed."""
        for program in self.programs:
            program.end()
        for program in self.programs:
            print(program.report())


@contextmanager
def open_project(home: Path, queue: Queue) -> Generator[Project]:
    """A project whose processes are gone when the block ends, however it ends."""
    project = Project(home, queue)
    try:
        yield project
    finally:
        project.close()
