"""A few processes on one database, of which one after another is killed and replaced."""

import ctypes
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from taskito import Queue
from tests.crash.cycles.moments import (
    AT_RANDOM,
    CALLS,
    NAMED_MOMENTS,
    STARTING,
    Moment,
    Role,
)
from tests.crash.cycles.victims import Victim
from tests.e2e.programs.marks import Marks
from tests.support.traps import traps
from tests.support.until import until

CREW = (Role.PRODUCER, Role.WORKER, Role.WORKER, Role.BOTH)
COMING_UP = 20
"""Seconds a process gets on a busy machine."""
PATIENCE = 1.5
"""Seconds until a process that does not reach its moment is killed where it is."""
SETTLING = 60
"""Seconds within which two workers finish at least one more of the jobs that are left."""
DIE_WITH_PARENT = 1
"""``PR_SET_PDEATHSIG``: no victim is left over, however this process ends."""


def _left(queue: Queue) -> int:
    stats = queue.stats()
    return stats["pending"] + stats["running"]


def _has_fewer(queue: Queue, jobs: int) -> bool:
    return _left(queue) < jobs


@dataclass(slots=True, kw_only=True)
class Process:
    """A victim that was born."""

    role: Role
    slot: int
    moment: Moment
    pid: int
    descriptor: int

    def is_dead_within(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def bury(self) -> int:
        """Wait for its end and return the exit status, -N after a deadly signal N."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.descriptor)
        return status


class Campaign:
    """Forks victims from this process, which has never opened the database and has no threads.

    Attributes:
        durability: of the queues.
        marks: what the victims left behind.
        kills: how many there were, by moment.
        violations: what must not happen and did.
    """

    def __init__(
        self, home: Path, durability: Literal["full", "normal"], *, has_traps: bool
    ) -> None:
        self.durability: Literal["full", "normal"] = durability
        self.marks = Marks(home / "marks")
        self.kills = Counter[str]()
        self.violations: list[str] = []
        self._home = home
        self._moments = [*NAMED_MOMENTS, *(CALLS if has_traps else ())]
        self._traps = traps(len(CREW))
        self._crew: list[Process] = []
        self._born = 0
        self._tries: dict[int, dict[str, None]] = {}

    @property
    def database(self) -> Path:
        return self._home / "jobs.db"

    @property
    def complaints(self) -> Path:
        """What processes printed, which should be nothing."""
        return self._home / "complaints"

    def run(self, cycles: int, tell: Callable[[int], None]) -> None:
        """Kill so many processes, then let fresh workers finish everything."""
        try:
            for slot in range(len(CREW)):
                self._crew.append(self._born_in(slot, ()))
            last = -1
            for number in range(cycles):
                last = random.choice([slot for slot in range(len(CREW)) if slot != last])
                self._crew[last] = self._replace(self._crew[last])
                tell(number + 1)
            self._kill_all()
            self._finish()
        finally:
            self._kill_all()

    def _kill_all(self) -> None:
        while self._crew:
            process = self._crew.pop()
            os.kill(process.pid, signal.SIGKILL)
            process.bury()

    def _replace(self, victim: Process) -> Process:
        trap, moment = self._traps[victim.slot], victim.moment
        if moment.starting:
            name, within = moment.name, random.uniform(0, 0.05)
        else:
            self._wait_until_up(victim)
            name, within = moment.name, random.uniform(0, 0.1)
        if moment.place is not None:
            trap.arm(moment.place, random.randint(1, moment.most))
            within = PATIENCE
        if not victim.is_dead_within(within):
            os.kill(victim.pid, signal.SIGKILL)
            name = name if moment.place is None else "at random, moment not reached"
        self.marks.leave("killed", str(victim.pid), moment.name)
        if (status := victim.bury()) != -signal.SIGKILL:
            self.violations.append(f"a {victim.role} ended by itself with exit status {status}")
        self.kills[name] += 1
        return self._born_in(victim.slot, self._unacknowledged(victim.pid))

    def _wait_until_up(self, victim: Process) -> None:
        deadline = time.monotonic() + COMING_UP
        while not self._traps[victim.slot].is_up and not victim.is_dead_within(0.002):
            if time.monotonic() > deadline:
                raise AssertionError(f"a {victim.role} does not come up within {COMING_UP} s")

    def _unacknowledged(self, pid: int) -> Sequence[str]:
        """What this process tried to enqueue and was not told that it is."""
        for mark in self.marks.fresh():
            if mark.event == "try":
                self._tries.setdefault(mark.pid, {})[mark.token] = None
            elif mark.event in {"ack", "was there"}:
                self._tries.get(mark.pid, {}).pop(mark.token, None)
        return tuple(self._tries.pop(pid, ()))

    def _born_in(self, slot: int, resume: Sequence[str]) -> Process:
        role = CREW[slot]
        fitting = [moment for moment in self._moments if role in moment.roles]
        moment = random.choice([AT_RANDOM, AT_RANDOM, AT_RANDOM, STARTING, *fitting])
        return self._fork(slot, role, moment, resume)

    def _fork(self, slot: int, role: Role, moment: Moment, resume: Sequence[str]) -> Process:
        self._born += 1
        trap = self._traps[slot]
        trap.reset()
        victim = Victim(
            name=str(self._born),
            role=role,
            database=self.database,
            durability=self.durability,
            marks=self.marks,
            trap=trap,
            resume=resume,
            has_hooks=moment in NAMED_MOMENTS or self._born % 2 == 0,
        )
        if (pid := os.fork()) == 0:
            self._be(victim)
        return Process(role=role, slot=slot, moment=moment, pid=pid, descriptor=os.pidfd_open(pid))

    def _be(self, victim: Victim) -> None:
        status = 1
        try:
            ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
            descriptor = os.open(self.complaints, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            random.seed()
            victim.live()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _finish(self) -> None:
        """Two workers that nobody kills, until nothing is left to do."""
        self._crew = [self._fork(slot, Role.WORKER, AT_RANDOM, ()) for slot in (1, 2)]
        with Queue(self.database) as queue:
            # As long as it takes on a busy machine, if it goes on.
            while before := _left(queue):
                with suppress(AssertionError):
                    until(partial(_has_fewer, queue, before), within=SETTLING)
                if not _has_fewer(queue, before):
                    self.violations.append(f"{before} jobs are left over")
                    break
        for worker in self._crew:
            self._wait_until_up(worker)
            os.kill(worker.pid, signal.SIGTERM)
        while self._crew:
            if (status := self._crew.pop().bury()) != 0:
                self.violations.append(f"a worker ended with exit status {status} after SIGTERM")
        if self.complaints.stat().st_size:
            self.violations.append("processes complained:\n" + self.complaints.read_text()[:4000])
