"""The moments at which processes are killed: at random, named ones, and system calls."""

from dataclasses import dataclass
from enum import StrEnum

from tests.support.traps import NAMED, Call, File, Manner, Place


class Role(StrEnum):
    """What a process does."""

    PRODUCER = "producer"
    WORKER = "worker"
    BOTH = "both"


PRODUCERS = frozenset({Role.PRODUCER, Role.BOTH})
WORKERS = frozenset({Role.WORKER, Role.BOTH})
ALL = PRODUCERS | WORKERS

DUMPING, ENQUEUED, LOADING, BEFORE, RUNNING, RETURNING, AFTER, SUCCEEDED = range(NAMED, NAMED + 8)
"""Moments that the program itself reports, see ``victims.py``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When to kill a process.

    Attributes:
        name: for people.
        roles: of the processes that get there.
        place: where the trap is; ``None`` for a kill from outside.
        most: the kill comes at the first to this many-th time.
        starting: whether the kill from outside may come before the process is up.
    """

    name: str
    roles: frozenset[Role] = ALL
    place: Place | None = None
    most: int = 1
    starting: bool = False


AT_RANDOM = Moment(name="at random")
STARTING = Moment(name="while it starts", starting=True)


def _named(number: int, name: str, roles: frozenset[Role]) -> Moment:
    return Moment(name=name, roles=roles, place=Place(number=number), most=8)


NAMED_MOMENTS = (
    _named(DUMPING, "arguments being serialized", PRODUCERS),
    _named(ENQUEUED, "stored, not acknowledged", PRODUCERS),
    _named(LOADING, "claimed, arguments being read", WORKERS),
    _named(BEFORE, "claimed, in the hook before", WORKERS),
    _named(RUNNING, "in the function", WORKERS),
    _named(RETURNING, "returned, result being serialized", WORKERS),
    _named(AFTER, "returned, in the hook after", WORKERS),
    _named(SUCCEEDED, "returned, in on_success", WORKERS),
)

CALLS = tuple(
    Moment(name=name, roles=roles, place=Place(number=call + file, manner=manner), most=most)
    for name, call, file, manner, roles, most in (
        ("turnstile just taken", Call.TURN, File.BELL, Manner.AFTER, ALL, 12),
        ("write lock just taken", Call.LOCK, File.WRITER, Manner.AFTER, ALL, 12),
        ("before a write to the log", Call.WRITE, File.LOG, Manner.BEFORE, ALL, 40),
        ("half of a write to the log", Call.WRITE, File.LOG, Manner.TORN, ALL, 40),
        ("after a write to the log", Call.WRITE, File.LOG, Manner.AFTER, ALL, 40),
        ("before a flush of the log", Call.SYNC, File.LOG, Manner.BEFORE, PRODUCERS, 8),
        ("after a flush of the log", Call.SYNC, File.LOG, Manner.AFTER, PRODUCERS, 8),
        ("checkpoint begun", Call.LOCK, File.CHECKPOINTER, Manner.AFTER, WORKERS, 1),
        ("half of a write to the file", Call.WRITE, File.DATABASE, Manner.TORN, WORKERS, 8),
        ("after a write to the file", Call.WRITE, File.DATABASE, Manner.AFTER, WORKERS, 8),
        ("before a flush of the file", Call.SYNC, File.DATABASE, Manner.BEFORE, WORKERS, 1),
    )
)
