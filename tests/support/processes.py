"""Real processes for tests: started in a group of their own, listened to, always ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Literal

from taskito import Queue
from tests.e2e.programs.marks import Marks
from tests.support.until import until

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = "tests.e2e.programs"
WORKSHOP = f"{PROGRAMS}.workshop:queue"
STARTING = 60
"""Seconds a process gets to come up on a busy machine; no promise of the product."""


def is_alive(pid: int) -> bool:
    """Whether some process has this id, be it a new one that got the id of an old one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Program:
    """One running process, leader of its own group.

    Attributes:
        pid: its process id.
    """

    def __init__(self, argv: list[str], *, env: Mapping[str, str], folder: Path) -> None:
        self._argv = argv
        self._folder = folder
        folder.mkdir(parents=True)
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            self._process = subprocess.Popen(
                argv,
                cwd=REPOSITORY,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def out(self) -> str:
        """What it has printed to stdout so far."""
        return (self._folder / "out").read_text(errors="replace")

    @property
    def err(self) -> str:
        """What it has printed to stderr so far."""
        return (self._folder / "err").read_text(errors="replace")

    def is_running(self) -> bool:
        return self._process.poll() is None

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to this process alone."""
        self._process.send_signal(signum)

    def wait(self, within: float) -> int:
        """Wait for the end and return the exit status, -N after a deadly signal N."""
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {within} s\n{self.report()}") from None

    def kill(self) -> None:
        """SIGKILL this process, and return when it is gone."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Kill whatever is left of the group, children that outlived their parent too."""
        if self.is_running() or not is_alive(self.pid):
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def report(self) -> str:
        """Everything a person wants to see when a test fails."""
        return (
            f"--- {' '.join(self._argv)} (pid {self.pid}, exit status {self._process.returncode})\n"
            f"{self.out}--- stderr\n{self.err}"
        )


class Site:
    """One database, the marks of its jobs, and the processes that use it.

    Attributes:
        database: path of the database.
        marks: what the tasks and producers left behind.
    """

    def __init__(
        self,
        home: Path,
        *,
        database: Path | None = None,
        durability: Literal["full", "normal"] = "full",
    ) -> None:
        self.home = home
        self.database = database or home / "jobs.db"
        self.durability: Literal["full", "normal"] = durability
        self.marks = Marks(home / "marks")
        self.programs: list[Program] = []

    @cached_property
    def queue(self) -> Queue:
        """The queue as this process sees it. It knows no task: jobs are enqueued by name."""
        return Queue(self.database, durability=self.durability)

    def gate(self, name: str = "gate") -> Path:
        """Close a gate: jobs wait there until the returned file is removed."""
        path = self.home / f"{name}.gate"
        path.touch()
        return path

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> Program:
        """Start ``python argv...`` in the repository."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("TASKITO", "PYTEST"))}
        ours = {
            "SITE_MARKS": str(self.marks.path),
            "SITE_DATABASE": str(self.database),
            "SITE_DURABILITY": self.durability,
        }
        program = Program(
            [sys.executable, *argv],
            env={**clean, **ours, **(env or {})},
            folder=self.home / "programs" / str(len(self.programs)),
        )
        self.programs.append(program)
        return program

    def script(self, name: str, *args: str) -> Program:
        """Start one of the programs beside the workshop."""
        return self.run("-m", f"{PROGRAMS}.{name}", *args)

    def taskito(self, *args: str, env: Mapping[str, str] | None = None) -> Program:
        """Start the real command line."""
        return self.run("-m", "taskito", *args, env=env)

    def worker(self, *, workers: int = 1, drain_timeout: float | None = None) -> Program:
        """Start a worker of the workshop; it may not be up yet when this returns."""
        drain = [] if drain_timeout is None else ["--drain-timeout", str(drain_timeout)]
        return self.taskito("worker", "--app", WORKSHOP, "--workers", str(workers), *drain)

    def ready_worker(self, *, workers: int = 1, drain_timeout: float | None = None) -> Program:
        """Start a worker of the workshop and wait until it has registered."""
        program = self.worker(workers=workers, drain_timeout=drain_timeout)
        until(lambda: self.status_of(program) == "active", within=STARTING)
        return program

    def status_of(self, program: Program) -> str | None:
        """The status of the worker in this process, ``None`` while it is not registered."""
        assert program.is_running(), program.report()
        found = [row["status"] for row in self.queue.workers() if row["pid"] == program.pid]
        return str(found[-1]) if found else None

    def wait_until_settled(self, within: float) -> dict[str, int]:
        """Wait until no job is pending or running, and return the counts."""

        def settled() -> dict[str, int]:
            stats: dict[str, int] = self.queue.stats()
            assert not stats["pending"], stats
            assert not stats["running"], stats
            return stats

        return until(settled, within=within)

    def close(self, *, is_quiet: bool = False) -> None:
        """End every process and, unless quiet, show what they printed."""
        for program in self.programs:
            program.end()
        if "queue" in self.__dict__:
            self.queue.close()
        for program in () if is_quiet else self.programs:
            print(program.report())


@contextmanager
def open_site(
    home: Path,
    *,
    database: Path | None = None,
    durability: Literal["full", "normal"] = "full",
    is_quiet: bool = False,
) -> Generator[Site]:
    """A site whose processes are gone when the block ends, however it ends."""
    site = Site(home, database=database, durability=durability)
    try:
        yield site
    finally:
        site.close(is_quiet=is_quiet)
