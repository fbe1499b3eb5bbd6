"""What the death of a worker cost, from the tasks' own record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from examples.wordcount.diary import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The moment a worker was killed.

    Attributes:
        pid: the process that was killed.
        at_ns: when, on the monotonic clock.
        done: how many jobs were finished.
        held: how many jobs the database gave to the dead worker, begun or not.
    """

    pid: int
    at_ns: int
    done: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What followed from it.

    Attributes:
        interrupted: numbers of the jobs whose function had begun, not ended, when the worker died.
        unrecorded: jobs whose function had ended, but not yet been committed as done.
        ran_twice: all jobs whose function began more than once, in any process.
        first_again_s: from the kill until the first interrupted job was running again.
        all_again_s: until the last one was running again.
        all_finished_s: until the last one had finished.
    """

    interrupted: tuple[int, ...]
    unrecorded: int
    ran_twice: int
    first_again_s: float | None
    all_again_s: float | None
    all_finished_s: float | None


def cost_of(kill: Kill, attempts: Mapping[int, Sequence[Attempt]]) -> Cost:
    """Work out the cost of a kill once all jobs are finished."""
    interrupted: list[int] = []
    unrecorded = 0
    again: list[Attempt] = []
    for number, tries in attempts.items():
        later = [t for t in tries if t.began_ns > kill.at_ns and t.pid != kill.pid]
        died = any(t.pid == kill.pid and t.ended_ns is None for t in tries)
        if died:
            interrupted.append(number)
            again += later[:1]
        elif later and any(t.pid == kill.pid for t in tries):
            unrecorded += 1
    starts = [(t.began_ns - kill.at_ns) / 1e9 for t in again]
    ends = [(t.ended_ns - kill.at_ns) / 1e9 for t in again if t.ended_ns is not None]
    return Cost(
        interrupted=tuple(interrupted),
        unrecorded=unrecorded,
        ran_twice=sum(len(tries) > 1 for tries in attempts.values()),
        first_again_s=min(starts, default=None),
        all_again_s=max(starts, default=None),
        all_finished_s=max(ends, default=None),
    )
