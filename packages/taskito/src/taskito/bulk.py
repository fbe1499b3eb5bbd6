"""Many jobs at once: searching by a filter line, and operations on all that match."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from taskito._checks import integer, string
from taskito.filters import Filter
from taskito.job import JobResult
from taskito.listing import JobPage, cursor_of, place_of

if TYPE_CHECKING:
    from taskito import Queue
    from taskito._core import AuditRow, OperationRow, Store
    from taskito._core import Bulk as NativeBulk

__all__ = ["CAP", "VERBS", "Bulk", "Count", "Deed", "Found", "Operation", "Verb"]

Verb: TypeAlias = Literal["retry", "cancel", "delete"]

VERBS: tuple[Verb, ...] = ("retry", "cancel", "delete")
"""What can be done to many jobs."""
CAP = 10_000
"""Matching jobs are counted up to so many."""

_PAGE = 500
_MOST_PER_SECOND = 100_000
_MOST_COUNTED = 2**31
_MOST_EXAMINED = 100_000
_MOST_NEWER = 20_000
_LOOK_SECONDS = 0.1
_LONGEST_MARK = 100


class Found(JobPage):
    """Jobs that a search found, newest first.

    Attributes:
        next_cursor: The ``cursor`` of the next page; ``None`` when all jobs were looked at.
        searched: If the search ended before it had as many jobs as were asked for: about how
            many jobs it looked at. ``next_cursor`` then leads on from there.
    """

    __slots__ = ("searched",)

    def __init__(
        self, items: list[JobResult[Any]], next_cursor: str | None, searched: int | None
    ) -> None:
        """Hold ``items``; only the library makes these."""
        super().__init__(items, next_cursor)
        self.searched = searched


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many jobs match.

    Attributes:
        number: At most the cap.
        is_capped: There are more.
        is_whole: All jobs were looked at, or more than the cap were found. If not, there may be
            more among older ones.
    """

    number: int
    is_capped: bool
    is_whole: bool

    def __str__(self) -> str:
        """The number for a person: ``1,204``, or ``10,000+``."""
        return f"{self.number:,}{'' if self.is_whole and not self.is_capped else '+'}"

    def jobs(self) -> str:
        """The number with its noun: ``1 job``, ``1,204 jobs``."""
        return f"{self} job{'' if str(self) == '1' else 's'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something that is done to all jobs that match.

    Attributes:
        id: Its id.
        verb: ``retry`` stores finished jobs once more, ``cancel`` cancels what waits and asks
            what runs to end, ``delete`` removes finished jobs.
        filter: The filter line. Jobs that came after ``started_at`` are not meant.
        who: Who began it.
        total: How many jobs matched then, counted up to :data:`CAP` and one.
        rate: At most so many jobs in a second; ``None`` is as fast as it goes.
        stop_after: It stops when so many of the jobs that it made have failed.
        state: ``running``, ``done`` or ``stopped``.
        done: Jobs that something was done to.
        skipped: Jobs that matched, but had moved on, or could not be touched.
        failed: How many of the jobs that it made have failed so far, counted up to 1000.
        started_at: When it began, in ms.
        ended_at: When it ended, in ms.
        report: Why it ended before the last job.
    """

    id: str
    verb: Verb
    filter: str
    who: str
    total: int
    rate: int | None
    stop_after: int | None
    state: Literal["running", "done", "stopped"]
    done: int
    skipped: int
    failed: int
    started_at: int
    ended_at: int | None
    report: str | None

    @property
    def is_over(self) -> bool:
        """Whether it goes no further."""
        return self.state != "running"

    def to_dict(self) -> dict[str, Any]:
        """The attributes by their names."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that a person did.

    Attributes:
        at: When, in ms.
        who: Who.
        deed: What: ``retry``, ``pause``, ...
        subject: To what: an id, a name, or a filter line.
        count: To how many jobs.
    """

    at: int
    who: str
    deed: str
    subject: str
    count: int

    def to_dict(self) -> dict[str, Any]:
        """The attributes by their names."""
        return asdict(self)


class Bulk:
    """Many jobs of one queue at once.

    An operation goes over the jobs that were there when it began, oldest first, in batches of up
    to 500, each one transaction. It is driven by every worker of the database, one at a time, and
    by whoever calls :meth:`drive`. If that process dies, another goes on within 5 seconds; nothing
    is done twice.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> jobs = [queue.enqueue("note", [n]) for n in range(3)]
        >>> bulk = Bulk(queue)
        >>> str(bulk.count(Filter.parse("task:note")))
        '3'
        >>> operation = bulk.begin("cancel", Filter.parse("task:note"), who="me")
        >>> bulk.finish(operation.id).done
        3
    """

    def __init__(self, queue: "Queue") -> None:
        """Take the queue."""
        self._queue = queue
        self._database = queue._database  # noqa: SLF001 - of this package
        self._native: tuple[Store, NativeBulk] | None = None

    def search(
        self,
        which: Filter,
        *,
        limit: int = 50,
        cursor: str | None = None,
        newest: str | None = None,
    ) -> Found:
        """Return one page of the jobs that match, newest first; none newer than ``newest``, an id.

        Terms that no counter and no key can tell (``-fp:``, ``error:``, ``args.``, ``tag:``,
        ``worker:``, ``run>`` and words) are compared with about 100,000 jobs for a page, and no
        search takes much longer than two seconds; :attr:`Found.searched` says so then.

        Raises:
            ValueError: ``limit`` is negative, or ``cursor`` is none of this call.
            TaskitoError: ``newest`` is no id of this database.
        """
        before = place_of("j", limit, cursor)
        with self._database as store:
            rows, last, searched = self._of(store).search(
                which.compiled(), before=before, newest=newest, limit=limit + 1
            )
        jobs = [
            JobResult[Any](self._database, self._queue.serializer, row.id, row=row)
            for row in rows[:limit]
        ]
        if len(rows) > limit:
            return Found(jobs, cursor_of("j", jobs[-1].id) if jobs else None, None)
        return Found(jobs, last and cursor_of("j", last), searched if last else None)

    def every(self, which: Filter) -> Iterator[JobResult[Any]]:
        """Yield all jobs that match, newest first; none that come meanwhile.

        Looks through the whole database, page by page, for as long as that takes.
        """
        cursor = None
        while True:
            page = self.search(which, limit=_PAGE, cursor=cursor)
            yield from page
            cursor = page.next_cursor
            if cursor is None:
                return

    def count(self, which: Filter, *, cap: int = CAP, after: str | None = None) -> Count:
        """Return how many jobs match, counted up to ``cap``; those newer than ``after``, an id.

        States, tasks and queues alone are counted without looking at jobs, whatever the cap,
        unless ``after`` is given: then the newest 20,000 jobs or so are looked at.
        """
        integer("cap", cap, 0, _MOST_COUNTED)
        with self._database as store:
            budget = _MOST_EXAMINED if after is None else _MOST_NEWER
            number, is_whole = self._of(store).count(
                which.compiled(), after=after, cap=cap + 1, budget=budget
            )
        return Count(number=min(number, cap), is_capped=number > cap, is_whole=is_whole)

    def begin(
        self,
        verb: Verb,
        which: Filter,
        *,
        who: str,
        rate: int | None = None,
        stop_after: int | None = None,
    ) -> Operation:
        """Begin an operation on all jobs that match now. Returns at once.

        Args:
            verb: What is done, see :class:`Operation`.
            which: The jobs.
            who: Who wants it, for the record.
            rate: At most so many jobs in a second.
            stop_after: Stop when so many of the jobs that a retry made have failed.

        Raises:
            ValueError: For another verb, or a number that is not positive.
        """
        if string("verb", verb) not in VERBS:
            raise ValueError(f"verb must be one of {', '.join(VERBS)}, got {verb!r}")
        if rate is not None:
            integer("rate", rate, 1, _MOST_PER_SECOND)
        if stop_after is not None:
            integer("stop_after", stop_after, 1, _MOST_PER_SECOND)
        with self._database as store:
            native = self._of(store)
            terms = which.compiled()
            total, _ = native.count(terms, cap=CAP + 1)
            operation_id = native.begin(
                verb,
                terms,
                str(which),
                string("who", who),
                total=total,
                rate=rate,
                stop_after=stop_after,
            )
        return self._known(operation_id)

    def get(self, operation_id: str) -> Operation | None:
        """Return an operation, ``None`` if there is none. Remembered for 90 days."""
        with self._database as store:
            row = self._of(store).operation(string("operation_id", operation_id))
        return None if row is None else _operation(row)

    def operations(self, limit: int = 50) -> list[Operation]:
        """Return operations, newest first."""
        with self._database as store:
            return [_operation(row) for row in self._of(store).operations(limit)]

    def stop(self, operation_id: str, *, who: str) -> bool:
        """End an operation before its last job; ``False`` if it was over, or there is none."""
        with self._database as store:
            return self._of(store).stop(string("operation_id", operation_id), string("who", who))

    def undo(self, operation_id: str, *, who: str) -> int | None:
        """Take back an operation that is over, as far as that can be done.

        Jobs that a retry made go, unless a worker has had them, and dead letters that were
        retried come back. Jobs that waited and were cancelled wait again under new ids, unless
        they have to do with other jobs. A deletion cannot be taken back, nor a request to a
        running job.

        Returns:
            Of how many jobs, among the first 1000; ``None`` when there is nothing to take back.
        """
        with self._database as store:
            return self._of(store).undo(string("operation_id", operation_id), string("who", who))

    def touched(self, operation_id: str, limit: int = 50) -> list[tuple[str, str | None]]:
        """Return jobs that an operation retried or cancelled, oldest first.

        Returns:
            The id of each job, and the id of the one that a retry made of it.
        """
        with self._database as store:
            return self._of(store).touched(string("operation_id", operation_id), limit)

    def drive(self) -> float | None:
        """Take an operation that nobody else drives one batch further.

        Returns:
            0 if there may be more to do at once, the seconds after which the rate of an operation
            lets it go on, ``None`` when there is nothing to do here.
        """
        with self._database as store:
            return self._of(store).drive()

    def finish(self, operation_id: str) -> Operation:
        """Drive until an operation is over, and return it.

        Waits where another process drives it. Other operations that wait are driven along.

        Raises:
            LookupError: There is none.
        """
        while True:
            found = self._known(operation_id)
            if found.is_over:
                return found
            pause = self.drive()
            if pause != 0:
                time.sleep(min(pause or _LOOK_SECONDS, _LOOK_SECONDS))

    def audit(self, who: str, deed: str, subject: str, count: int = 1) -> None:
        """Write down what somebody did. Operations do that themselves."""
        with self._database as store:
            self._of(store).audit(who, deed, subject, count)

    def deeds(self, limit: int = 50) -> list[Deed]:
        """Return what people did, newest first. Remembered for 90 days."""
        with self._database as store:
            return [_deed(row) for row in self._of(store).deeds(limit)]

    def mark(self, text: str, *, who: str) -> None:
        """Mark this instant on the charts of the dashboard, as that of a deployment.

        Args:
            text: What is marked, as ``v1.4``: one line of up to 100 letters.
            who: Who marks it, for the record.

        Raises:
            ValueError: The text is empty, too long, or more than one line.
        """
        if not (0 < len(string("text", text).strip()) <= _LONGEST_MARK and text.isprintable()):
            message = f"text must be one line of 1 to {_LONGEST_MARK} letters, got {text[:200]!r}"
            raise ValueError(message)
        with self._database as store:
            self._of(store).mark(string("who", who), text.strip())

    def marks(self, since: int, until: int, limit: int = 100) -> list[Deed]:
        """Return what was marked from one instant until before another, newest first.

        Args:
            since: In ms.
            until: In ms.
            limit: At most so many.
        """
        with self._database as store:
            return [_deed(row) for row in self._of(store).marks(since, until, limit)]

    def _known(self, operation_id: str) -> Operation:
        found = self.get(operation_id)
        if found is None:
            raise LookupError(f"operation not found: {operation_id}")
        return found

    def _of(self, store: "Store") -> "NativeBulk":
        """What asks that store; one object, as it is known as one driver."""
        from taskito._core import Bulk as NativeBulk  # noqa: PLC0415 - loads the engine

        if self._native is None or self._native[0] is not store:
            self._native = store, NativeBulk(store)
        return self._native[1]


def _deed(row: "AuditRow") -> Deed:
    return Deed(at=row.at, who=row.who, deed=row.deed, subject=row.subject, count=row.count)


def _operation(row: "OperationRow") -> Operation:
    names = Operation.__dataclass_fields__
    return Operation(**{name: getattr(row, name) for name in names})
