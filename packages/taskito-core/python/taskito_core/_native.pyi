"""The compiled engine of taskito: storage, dispatch and crash recovery.

Internal to taskito: names and shapes change without notice between releases.

Conventions. Instants are milliseconds since the Unix epoch, durations carry the
suffix ``_ms``. Ids are lower-case UUIDv7 text. Payloads, results and metadata are
opaque to the engine. Every method that touches the database releases the GIL and
raises :class:`EngineError`; none of them polls.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias, final

__version__: str
"""Version of the crate, equal to the version of the ``taskito-core`` distribution."""

SQLITE_VERSION: str
"""Version of the SQLite library that is compiled into this module."""

SCHEMA_VERSION: int
"""The newest database schema this module can open."""

ErrorKind: TypeAlias = Literal[
    "not_writable",  # a directory or file cannot be created or written
    "not_a_database",  # the file is something else than an SQLite database
    "foreign",  # an SQLite database that belongs to another program
    "newer_schema",  # written by a newer taskito; left untouched
    "corrupt",  # SQLite found damage
    "full",  # no space left, or a file size limit
    "busy",  # another process held the write lock for more than 5 seconds
    "not_found",  # the named row does not exist
    "missing_dependency",  # a new job is to wait for one that does not exist
    "invalid",  # an argument the engine refuses
    "cron",  # a cron expression that is malformed or can never fire
    "no_schedule",  # no schedule has this name
    "closed",  # the store was closed
    "too_broad",  # a question took longer than :func:`limit_reads` lets it
    "io",  # any other failure of the operating system or SQLite
]

Status: TypeAlias = Literal["pending", "running", "complete", "dead", "cancelled"]

Verb: TypeAlias = Literal["retry", "cancel", "delete"]

class EngineError(Exception):
    """Any failure of the engine. ``str()`` is the message without the hint."""

    kind: ErrorKind
    hint: str | None
    path: str | None

@final
class JobSpec:
    """Everything about a job but its payload. Immutable, reusable for many jobs.

    ``delay_ms`` counts from the moment of the insert; 0 or less means due at once.
    ``timeout_ms`` 0 means no limit. ``metadata`` is stored verbatim, ``headers`` is a JSON object.
    ``expires_ms`` counts from the insert as well: no attempt starts later; 0 or less means never.
    ``result_ttl_ms`` counts from the end of the job; ``None`` leaves it to the sweeping worker.
    ``depends_on`` are ids of stored jobs: it runs when all of them are complete, and its delay
    counts from there.
    """

    def __new__(
        cls,
        task: str,
        *,
        queue: str = "default",
        priority: int = 0,
        delay_ms: int = 0,
        max_retries: int = 3,
        timeout_ms: int = 0,
        unique_key: str | None = None,
        idempotency_key: str | None = None,
        metadata: str | None = None,
        headers: str | None = None,
        limit_key: str | None = None,
        expires_ms: int | None = None,
        result_ttl_ms: int | None = None,
        depends_on: Sequence[str] | None = None,
    ) -> JobSpec: ...
    @property
    def task(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def max_retries(self) -> int: ...
    @property
    def timeout_ms(self) -> int: ...
    @property
    def unique_key(self) -> str | None: ...
    @property
    def metadata(self) -> str | None: ...
    @property
    def headers(self) -> str | None: ...
    @property
    def depends_on(self) -> list[str]: ...

@final
class Links:
    """What a job of a workflow waits for, and which limits it shares. Immutable.

    Jobs are named by their index in the call of :meth:`Store.insert_workflow`. ``takes`` are
    those whose results go in front of its arguments: of one job the result itself, of a
    sequence a list of results in that order. ``after`` are others it waits for. ``groups``
    are the limited groups it is in, the outermost first, as (number, limit): at most
    ``limit`` jobs with that number in the same call run at once.
    """

    def __new__(
        cls,
        *,
        takes: int | Sequence[int] | None = None,
        after: Sequence[int] = (),
        groups: Sequence[tuple[int, int]] = (),
    ) -> Links: ...

@final
class JobRow:
    """One job as it was at the moment of reading."""

    @property
    def id(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def priority(self) -> int: ...
    @property
    def retry_count(self) -> int: ...
    @property
    def max_retries(self) -> int: ...
    @property
    def losses(self) -> int: ...
    @property
    def created_at(self) -> int: ...
    @property
    def scheduled_at(self) -> int:
        """When the job is or was due: creation plus delay, or the time of the next retry."""
    @property
    def started_at(self) -> int | None:
        """When its newest claim began."""
    @property
    def began_at(self) -> int | None:
        """When the function began of the attempt that ended the job.

        ``None`` until then, and if no function ran.
        """
    @property
    def completed_at(self) -> int | None: ...
    @property
    def timeout_ms(self) -> int: ...
    @property
    def unique_key(self) -> str | None: ...
    @property
    def idempotency_key(self) -> str | None: ...
    @property
    def metadata(self) -> str | None: ...
    @property
    def headers(self) -> str | None:
        """A JSON object, as given to :class:`JobSpec`."""
    @property
    def error(self) -> str | None:
        """Text of the last failure of a finished job; ``None`` while it may still run."""
    @property
    def progress(self) -> int | None:
        """0 to 100, or ``None`` when the job never reported any."""
    @property
    def cancel_requested(self) -> bool: ...
    @property
    def waiting_on(self) -> int:
        """How many of its dependencies are not complete yet."""
    @property
    def root_id(self) -> str | None:
        """The job that is dead or was cancelled and took this one with it."""
    @property
    def expires_at(self) -> int | None: ...
    @property
    def result_ttl_ms(self) -> int | None: ...
    @property
    def limit_key(self) -> str | None: ...
    @property
    def workflow_id(self) -> str | None:
        """Shared by all jobs of one canvas."""
    @property
    def schedule_name(self) -> str | None: ...
    @property
    def fire_time(self) -> int | None:
        """The instant its schedule meant it for."""
    @property
    def is_scheduled(self) -> bool:
        """Whether it waits for its time, of the kind that :attr:`wait` says."""
    @property
    def wait(self) -> Literal["backoff", "snooze"] | None:
        """What the last wait for a time was; ``None`` is its own delay."""
    @property
    def failure(self) -> str | None:
        """The group of its last failure, while it is to be tried again or has a dead letter."""
    @property
    def preview(self) -> str | None:
        """Its arguments for people, as the producer wrote them; ``None`` if it did not."""
    @property
    def worker(self) -> int | None:
        """The number of the worker that runs it."""

@final
class AttemptRow:
    """One failed or lost attempt of a job."""

    @property
    def id(self) -> str: ...
    @property
    def job_id(self) -> str: ...
    @property
    def attempt(self) -> int:
        """0-based: the retry count while this attempt ran."""
    @property
    def outcome(self) -> Literal["failed", "lost"]: ...
    @property
    def error(self) -> str: ...
    @property
    def claimed_at(self) -> int: ...
    @property
    def began_at(self) -> int | None:
        """When its function began; ``None`` if nobody knows."""
    @property
    def failed_at(self) -> int: ...
    @property
    def worker(self) -> str | None:
        """Machine and process of its worker, as ``host:pid``."""
    @property
    def failure(self) -> str | None:
        """The fingerprint of its group; ``None`` for one that was lost and is tried again."""
    @property
    def error_type(self) -> str | None:
        """Class of the exception with its module, unless that is ``builtins``."""
    @property
    def message(self) -> str | None:
        """What the exception said, perhaps cut."""
    @property
    def frames(self) -> str | None:
        """The traceback as a JSON list, outermost frame first; the keys are those of its writer."""

@final
class DeadRow:
    """One dead letter: a job that will not be tried again, kept for a person."""

    @property
    def id(self) -> str: ...
    @property
    def job_id(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def error(self) -> str: ...
    @property
    def retry_count(self) -> int: ...
    @property
    def failed_at(self) -> int: ...
    @property
    def metadata(self) -> str | None: ...

@final
class WorkerRow:
    """One worker that registered in this database and has not left."""

    @property
    def id(self) -> str: ...
    @property
    def number(self) -> int:
        """Its number in this database; see :attr:`JobRow.worker`."""
    @property
    def hostname(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def version(self) -> str: ...
    @property
    def queues(self) -> list[str]:
        """Names it was started with; empty when it serves every queue."""
    @property
    def tasks(self) -> list[str]: ...
    @property
    def concurrency(self) -> int: ...
    @property
    def running(self) -> int: ...
    @property
    def abandoned(self) -> int:
        """Threads busy with attempts that ran over their timeout; some seconds old."""
    @property
    def rss(self) -> int | None:
        """Bytes of memory its process occupied at the last heartbeat."""
    @property
    def draining(self) -> bool: ...
    @property
    def started_at(self) -> int: ...
    @property
    def last_heartbeat(self) -> int: ...

@final
class WorkflowRow:
    """A workflow in numbers: how many of its jobs stand where. See :meth:`Store.workflow`."""

    @property
    def id(self) -> str:
        """That of its first job."""
    @property
    def pending(self) -> int: ...
    @property
    def running(self) -> int: ...
    @property
    def complete(self) -> int: ...
    @property
    def dead(self) -> int: ...
    @property
    def cancelled(self) -> int: ...
    @property
    def started_at(self) -> int | None:
        """When the first of its jobs started."""
    @property
    def finished_at(self) -> int | None:
        """When the last of its finished jobs ended; others may still wait."""
    @property
    def failed_id(self) -> str | None:
        """The oldest of its dead jobs."""

@final
class MemberRow:
    """One job of a workflow."""

    @property
    def id(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def started_at(self) -> int | None: ...
    @property
    def completed_at(self) -> int | None: ...
    @property
    def is_letter(self) -> bool:
        """Whether it has a dead letter."""
    @property
    def root_id(self) -> str | None:
        """The job that is dead or was cancelled and took this one with it."""

@final
class Clock:
    """A clock that stands still until it is told to move: the time of a store in tests."""

    def __new__(cls, now_ms: int) -> Clock: ...
    @property
    def now(self) -> int: ...
    def advance(self, ms: int) -> None:
        """Move forward; ``ValueError`` for a negative ``ms``."""

@final
class Store:
    """One database, shared by every thread of the process.

    Constructing touches no file. The first call that needs the database creates
    parent directories (0700) and the file (0600), or upgrades an older schema.
    ``":memory:"`` is a private database that vanishes with this object. Whatever happens in
    it, also by a worker, happens at the time of ``clock``; ``None`` is the system's.
    """

    def __new__(
        cls,
        path: str,
        *,
        durability: Literal["full", "normal"] = "full",
        clock: Clock | None = None,
    ) -> Store: ...
    @property
    def path(self) -> str: ...
    @property
    def now(self) -> int:
        """The present instant by the clock of this store."""
    def insert(self, jobs: Sequence[tuple[JobSpec, bytes, str | None]]) -> list[tuple[str, bool]]:
        """Store all jobs in one transaction, or none; wake sleeping workers.

        Each is a spec, the arguments in bytes, and the same for people: see ``JobRow.preview``.

        Returns, in order, ``(id, deduplicated)``. ``deduplicated`` is true when a live
        ``unique_key`` or an existing ``idempotency_key`` named another job, whose id is
        returned. Concurrent calls of one process share a flush.

        A job that depends on one which is dead or cancelled is stored and cancelled at once.
        Raises kind ``missing_dependency`` when one does not exist; then nothing is stored.
        """
    def insert_workflow(
        self, jobs: Sequence[tuple[JobSpec, bytes, str | None, Links]]
    ) -> list[tuple[str, bool]]:
        """As :meth:`insert`, for jobs that wait for each other; they share a workflow."""
    def cancel(self, job_id: str) -> bool:
        """Cancel a pending job. False when it was not pending or does not exist."""
    def cancel_request(self, job_id: str) -> bool:
        """Ask the worker of a running job to cancel it. False when it was not running.

        Workers have heard of it when this returns. From then on the job is cancelled instead
        of being retried, snoozed, lost or handed back.
        """
    def run_now(self, job_id: str) -> bool:
        """Make a job due that waits for its time or for a retry. False when it did not."""
    def revive(self, dead_id: str) -> str:
        """Enqueue a dead letter's job again and remove the letter; the new job's id.

        Raises kind ``not_found`` for an unknown id.
        """
    def purge(
        self,
        status: Status,
        *,
        before: int,
        queue: str | None = None,
        task: str | None = None,
        after: str | None = None,
    ) -> tuple[int, str | None]:
        """Delete finished jobs of one portion, those that ended before an instant.

        Returns how many went, and the ``after`` to go on with, ``None`` at the end. Jobs on
        which unfinished ones depend stay. Other writers wait no longer than for a few jobs.
        """
    def job(self, job_id: str) -> JobRow | None: ...
    def snapshot(self, target: str) -> None:
        """Copy the database as it is now into a new file, one that needs no others.

        Signal handlers run meanwhile; if one raises, or the copy fails, the file is left
        unfinished.
        """
    def replay(self, job_id: str) -> str | None:
        """Store a job again with its settings and arguments; the new id.

        Its metadata says what it repeats. ``None`` for an unknown id.
        """
    def set_progress(self, job_id: str, progress: int) -> bool:
        """Say how far a job has come, from 0 to 100. False for an unknown id."""
    def jobs(
        self,
        *,
        status: Status | None = None,
        queue: str | None = None,
        task: str | None = None,
        created_after: int | None = None,
        created_before: int | None = None,
        metadata: str | None = None,
        error: str | None = None,
        before: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[JobRow]:
        """Newest first. ``created_after`` is inclusive, ``created_before`` exclusive.

        ``metadata`` and ``error`` are texts to be contained. ``before`` is the id of the job
        to go on after; kind ``invalid`` for one that no job of this database can have.
        """
    def count(
        self,
        *,
        status: Status | None = None,
        queue: str | None = None,
        task: str | None = None,
        created_after: int | None = None,
        created_before: int | None = None,
        metadata: str | None = None,
        error: str | None = None,
    ) -> int:
        """How many jobs :meth:`jobs` would list; counted only if counters cannot tell."""
    def waiting(
        self, *, after: str | None = None, limit: int = 100
    ) -> list[tuple[str, str, str, bytes, bool]]:
        """Pending jobs with their arguments, oldest first, from the one after ``after``.

        Each is id, queue, task, payload, and whether results of other jobs go in front.
        """
    def metrics(
        self, since: int, task: str | None
    ) -> list[tuple[str, tuple[int, int, int, tuple[int, int, int, int, int]]]]:
        """How long attempts ran that ended since then, by task.

        Each is attempts, failures, the sum of their run times, and p50, p95, p99, min and max
        of them, in microseconds.
        """
    def task_logs(self, job_id: str) -> list[tuple[str, str, str, str, str, str | None, int]]:
        """Log lines of a job, oldest first: id, job, task, level, message, extra, when."""
    def query_logs(
        self, task: str | None, level: str | None, since: int, limit: int
    ) -> list[tuple[str, str, str, str, str, str | None, int]]:
        """Log lines of all jobs, newest first, as those of :meth:`task_logs`."""
    def replays(self, job_id: str) -> list[tuple[str, int, str | None, str | None]]:
        """The jobs that repeat that one, newest first.

        Each is its id, when it was stored, the error of the original and its own.
        """
    def change_counter(self) -> int:
        """A number that changes with every commit of any process; means nothing else.

        Numbers that one process was given can be compared. Costs some microseconds.
        """
    def result(self, job_id: str) -> bytes | None:
        """The stored result of a complete job, else ``None``."""
    def payload(self, job_id: str) -> bytes | None:
        """The stored arguments of a job; ``None`` for an unknown id."""
    def keyed(self, idempotency_key: str) -> str | None:
        """Id of the job that came with an idempotency key, of whatever task; the oldest."""
    def dependencies(self, job_id: str) -> list[str]:
        """Ids of the jobs it depends on, in the order given; empty for an unknown id."""
    def dependents(self, job_id: str) -> list[str]:
        """Ids of the jobs that depend on it, oldest first; empty for an unknown id."""
    def workflows(self, *, before: str | None = None, limit: int = 50) -> list[str]:
        """Ids of workflows that still have jobs, newest first, from before a given one on."""
    def workflow(self, workflow_id: str, *, most: int = 10_000) -> WorkflowRow:
        """What became of the first so many jobs of a workflow; all zeros for an unknown one."""
    def members(
        self, workflow_id: str, *, after: str | None = None, limit: int = 500
    ) -> list[MemberRow]:
        """The jobs of a workflow, oldest first: each after those that it waits for."""
    def ties(self, workflow_id: str, first: str, last: str) -> list[tuple[str, str]]:
        """A job and one that it waits for, for the jobs of a workflow from one to another.

        A job that names several waits for them in this order. The other one need not belong
        to the workflow.
        """
    def cancel_workflow(self, workflow_id: str) -> tuple[int, int]:
        """Cancel all its jobs that wait, and ask those that run to end: how many of each."""
    def resume_workflow(self, workflow_id: str) -> tuple[str, int] | None:
        """Store its dead jobs, and those that they took with them, once more as a new workflow.

        They are tied to each other and to the completed jobs as before; the dead letters are
        removed in the same transaction. Limits of groups and expiries do not come along.
        The id of the new workflow and its number of jobs; ``None`` without dead letters.
        """
    def stats(self) -> dict[str, int]:
        """Counts under ``pending running completed failed dead cancelled``."""
    def attempts(self, job_id: str) -> list[AttemptRow]:
        """Oldest first; empty for an unknown id."""
    def dead_letters(
        self,
        *,
        queue: str | None = None,
        task: str | None = None,
        before: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> list[DeadRow]:
        """Newest first; ``before`` is the id of the letter to go on after."""
    def oldest_letters(
        self,
        *,
        queue: str | None = None,
        task: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[tuple[str, int]]:
        """Ids of dead letters and the times of death, oldest first, from the one after."""
    def discard(self, dead_ids: Sequence[str]) -> int:
        """Remove dead letters in one transaction; the jobs stay dead. How many there were."""
    def revive_all(self, dead_ids: Sequence[str]) -> list[str]:
        """Revive those of the letters that are there, in one transaction; the new ids."""
    def workers(self) -> list[WorkerRow]: ...
    def living_workers(self) -> list[WorkerRow]:
        """Those whose process exists, as the kernel says."""
    def pause(self, queue: str) -> None:
        """Let no job of a queue start any more. After this returns, none does. Idempotent."""
    def resume(self, queue: str) -> None:
        """Let jobs of a queue start again. Idempotent."""
    def set_queue_rate(self, queue: str, rate: str | None) -> None:
        """Limit how fast jobs of a queue start. Raises kind ``invalid`` for a malformed rate."""
    def set_queue_concurrency(self, queue: str, max_concurrent: int | None) -> None:
        """Limit how many jobs of a queue run at once, by 1 at least."""
    def queues(self) -> list[QueueRow]:
        """Every queue that has jobs or settings, by name."""
    def breakers(self) -> list[BreakerRow]:
        """The breaker of every task that declares one, by name of the task."""
    def holds(self, job_id: str) -> list[Hold]:
        """What would keep a waiting job from starting now, if it were due.

        Goes by the limits that a worker announced last. Empty for jobs that do not wait.
        """
    def wait(self, job_id: str, timeout_ms: int | None = None) -> bool:
        """Block until the job is complete, dead or cancelled, or its row is gone.

        False at the deadline. Sleeps in the kernel; Ctrl-C interrupts it. ``None``
        waits without limit, 0 or less looks once.
        """
    def finished_bell(self) -> int:
        """A number that changes whenever a job may have ended; see :meth:`wait_any`."""
    def ring_finished(self) -> None:
        """Wake everybody who waits for the end of a job, to look again."""
    def wait_any(self, job_ids: Sequence[str], bell: int) -> list[str]:
        """Which of these jobs have ended or are gone.

        If none has, sleeps in the kernel for a second at most, and not at all if the bell
        rang since ``bell`` was read; then returns ``[]``: it is time to look again.
        """
    def lock(self, name: str, ttl_ms: int) -> Lock:
        """Prepare an attempt to hold the lock of that name; touches no file."""
    def unlocked_bell(self) -> int:
        """A number that changes whenever a lock of this database is given back."""
    def ring_unlocked(self) -> None:
        """Wake everybody who waits for a lock, to look again."""
    def wait_unlocked(self, bell: int, limit_ms: int) -> None:
        """Sleep in the kernel until a lock is given back, for a second at most.

        Not at all if one was since ``bell`` was read. May return early: look again.
        """
    def close(self) -> None:
        """Give all locks back and release every file. Idempotent.

        Later calls raise kind ``closed``; who waits for a lock is woken.
        """

@final
class Lock:
    """One attempt to hold a named lock, and the hold itself once it succeeded.

    While it is held, a thread of the engine renews it every third of its time to live. It is
    lost when no renewal succeeded for a whole time to live: the process was stopped, or the
    database could not be written. Nothing but :meth:`release`, :meth:`Store.close`, a loss and
    the end of the process ends a hold. A forked child holds nothing.
    """

    def try_acquire(self) -> int | None:
        """Take the lock if it is free: ``None`` if it is held now.

        Otherwise the milliseconds for which its holder has it unless it is renewed. May be
        called until it succeeds.
        """
    def release(self) -> bool:
        """Give it back, or give up: whether it was held until now.

        Does nothing if it is not held. While another thread is in :meth:`try_acquire`, what
        that gets is given back.
        """
    @property
    def held(self) -> bool:
        """Whether this process holds it by this attempt at this moment. Asks no file."""
    @property
    def fence(self) -> int:
        """Higher than that of every earlier hold of any lock of the database; 0 for none yet."""
    @property
    def bell(self) -> int:
        """The bell just before the last try, for :meth:`Store.wait_unlocked`."""

@final
class Timing:
    """A rule that says when a schedule fires next. Touches no database."""

    @staticmethod
    def cron(expression: str, timezone: str = "UTC") -> Timing:
        """Read ``[second] minute hour day-of-month month day-of-week`` or a shortcut.

        Raises kind ``cron``, naming the field, or ``invalid`` for an unknown IANA zone. The
        zones are compiled in.
        """
    @staticmethod
    def every(period_ms: int, timezone: str = "UTC") -> Timing:
        """Fire at multiples of a period since the Unix epoch, in any zone that exists."""
    def local(self, at_ms: int) -> str | None:
        """An instant as clocks in its time zone show it: ``2024-03-31T03:00:00+02:00``.

        ``None`` beyond the calendar.
        """
    def next(self, after_ms: int) -> int | None:
        """The first fire later than an instant, or ``None`` if there will be none."""

@final
class Limits:
    """What the code says about how jobs of a task start.

    ``rate`` is ``"<count>/<period>"``; a malformed one raises kind ``invalid``. ``breaker``
    is threshold, window and cooldown, the last two in ms.
    """

    def __new__(
        cls,
        *,
        rate: str | None = None,
        max_concurrent: int | None = None,
        breaker: tuple[int, int, int] | None = None,
    ) -> Limits: ...

@final
class QueueRow:
    """One queue: what is set for it, and how many of its jobs stand where."""

    @property
    def name(self) -> str: ...
    @property
    def paused(self) -> bool: ...
    @property
    def rate(self) -> str | None: ...
    @property
    def max_concurrent(self) -> int | None: ...
    @property
    def oldest_due_at(self) -> int | None:
        """Since when the oldest job that is due waits."""
    @property
    def pending(self) -> int: ...
    @property
    def running(self) -> int: ...
    @property
    def complete(self) -> int: ...
    @property
    def dead(self) -> int: ...
    @property
    def cancelled(self) -> int: ...

@final
class BreakerRow:
    """One circuit breaker as it stood at the moment of reading."""

    @property
    def task(self) -> str: ...
    @property
    def state(self) -> Literal["closed", "open", "half_open"]: ...
    @property
    def failure_count(self) -> int: ...
    @property
    def last_failure_at(self) -> int | None: ...
    @property
    def opened_at(self) -> int | None: ...
    @property
    def threshold(self) -> int: ...
    @property
    def window_ms(self) -> int: ...
    @property
    def cooldown_ms(self) -> int: ...

@final
class Hold:
    """One limit that keeps a job from starting."""

    @property
    def kind(self) -> Literal["paused", "rate", "full", "broken"]: ...
    @property
    def scope(self) -> Literal["queue", "task", "key", "group"]: ...
    @property
    def name(self) -> str | None:
        """The queue or task; ``None`` for a group."""
    @property
    def key(self) -> str | None:
        """The limit key, if the scope is one."""
    @property
    def rate(self) -> str | None:
        """The rate whose tokens are used up."""
    @property
    def max_concurrent(self) -> int | None:
        """How many may run at once."""
    @property
    def running(self) -> int | None:
        """How many do."""
    @property
    def until(self) -> int | None:
        """When it ends by itself, if that is known."""

@final
class Plan:
    """A schedule as a program declares it.

    Task, queue, priority, retries and timeout of its jobs are those of ``spec``. ``catch_up``
    says what becomes of fires that are more than 10 s late: one job for all of them, no job,
    or a job each.
    """

    def __new__(
        cls,
        name: str,
        timing: Timing,
        spec: JobSpec,
        payload: bytes,
        *,
        catch_up: Literal["one", "none", "all"] = "one",
        preview: str | None = None,
    ) -> Plan: ...

@final
class ScheduleRow:
    """One schedule as it is stored."""

    @property
    def name(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def cron(self) -> str | None:
        """``None`` for a schedule with a period."""
    @property
    def every_ms(self) -> int | None: ...
    @property
    def timezone(self) -> str: ...
    @property
    def catch_up(self) -> Literal["one", "none", "all"]: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def enabled(self) -> bool:
        """False while it is paused."""
    @property
    def active(self) -> bool:
        """Whether a living worker declares it."""
    @property
    def last_run(self) -> int | None:
        """The fire of its newest job."""
    @property
    def next_run(self) -> int | None:
        """``None`` while it is paused, or when there will be none."""
    @property
    def last_job_id(self) -> str | None:
        """Its newest job, which may be gone."""

@final
class Timetable:
    """The schedules of a database, for operators."""

    def __new__(cls, store: Store) -> Timetable: ...
    def introduce(self, plans: Sequence[Plan]) -> None:
        """Store those whose names are not stored yet."""
    def rows(self) -> list[ScheduleRow]:
        """All schedules by name."""
    def pause(self, name: str) -> bool:
        """Let it fire no more until it is resumed. False when there is no such schedule."""
    def resume(self, name: str) -> bool:
        """Let it fire again, first after now. False when there is no such schedule."""
    def delete(self, name: str) -> bool:
        """False when there is no such schedule."""
    def trigger(self, name: str) -> str:
        """Store one job now, besides all fires; its id. Raises kind ``no_schedule``."""

@final
class Lookout:
    """The numbers and curves of a database, for those who watch it."""

    def __new__(cls, store: Store) -> Lookout: ...
    def rollups(
        self,
        since: int,
        until: int,
        step_ms: int,
        *,
        queue: str | None = None,
        task: str | None = None,
        by: Literal["queue", "task"] | None = None,
    ) -> tuple[int, int, list[Rollup]]:
        """What became of attempts that ended from ``since`` until before ``until``.

        Known by 10 s for two hours, by the minute for two days, by the hour for 90 days.
        Returns when the first bucket begins, which is ``since`` or the beginning of the known
        stretch in which it lies, the length of each bucket in ms, which is ``step_ms`` made
        longer to a multiple of these stretches, and the buckets in which anything ended,
        sorted by name and time. Raises ``ValueError`` for another ``by``.
        """
    def census(self) -> list[tuple[str, str, list[int]]]:
        """Every queue and task that has jobs, by their names; from counters.

        The numbers are those of the blocked, scheduled, ready, running, complete, dead and
        cancelled jobs. Those that wait for a retry are among the scheduled.
        """
    def delayed(self, cap: int) -> tuple[dict[str, int], int, int | None, bool]:
        """What scheduled jobs wait for, looking at less than ``cap`` of each kind.

        How many of each queue are due and not ready yet, how many wait for another attempt, when
        the first of these is due, and whether these are all.
        """
    def deaths(self, since: int, cap: int) -> int:
        """How many dead letters there are of jobs that died from ``since`` on, at most ``cap``."""
    def position(self, job_id: str, cap: int) -> int | None:
        """How many jobs of its queue run before a job that is ready, at most ``cap``.

        Jobs with a limit key or in a limited group count only if they stand in the same line.
        ``None`` if there is no such job, or it is not ready.
        """
    def next_jobs(self, queue: str, limit: int) -> list[JobRow]:
        """The jobs of a queue that a worker would claim next, in that order.

        As if no limit held one back; those whose own limit was found closed may be missing.
        """
    def running(self, limit: int) -> list[tuple[JobRow, str, int]]:
        """Jobs whose function runs now, the longest first: job, id of its worker, since when.

        Read from the memory that workers share, without a write. One that begins or ends at
        this moment may be missing. In a database in memory: all claimed jobs, since their claim.
        """

@final
class Rollup:
    """Attempts that ended in one stretch of time.

    Two histograms of 48 buckets say how long jobs had been due when they started and how long
    they ran. Bucket 0 is below 1 ms, each further one ends sqrt(2) times as far.
    """

    @property
    def name(self) -> str:
        """The queue or task, or empty if they were not told apart."""
    @property
    def at(self) -> int:
        """When the stretch begins."""
    @property
    def done(self) -> int: ...
    @property
    def failed(self) -> int:
        """Those that failed, whether they are repeated or not."""
    @property
    def retried(self) -> int:
        """Those of the failed that are repeated."""
    def wait_ms(self, share: float) -> float | None:
        """The wait that this share of attempts did not exceed, off by a factor of sqrt(2)."""
    def run_ms(self, share: float) -> float | None:
        """The run time that this share of attempts did not exceed, as :meth:`wait_ms`."""

@final
class Cause:
    """Why an attempt failed, in parts that can be compared.

    Failures of a task with the same ``error_type``, ``template`` and ``location`` are a group.
    ``template`` is ``message`` without what differs from failure to failure, ``location`` names
    the ``module:function`` of the user that failed, ``frames`` is the traceback in JSON.
    """

    def __new__(
        cls,
        error_type: str,
        message: str,
        *,
        template: str,
        location: str,
        frames: str | None = None,
    ) -> Cause: ...

@final
class GroupRow:
    """One group of failures."""

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, the same in every database."""
    @property
    def task(self) -> str: ...
    @property
    def error_type(self) -> str: ...
    @property
    def template(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def first_seen(self) -> int: ...
    @property
    def last_seen(self) -> int: ...
    @property
    def state(self) -> Literal["open", "silenced", "resolved"]:
        """Somebody decides; a resolved group opens with its next failure."""
    @property
    def dead(self) -> int:
        """Dead jobs with a letter whose last failure is of this group."""
    @property
    def retrying(self) -> int:
        """Unfinished jobs whose last failure is of this group."""

@final
class Failures:
    """The groups of failures of a database. Text that is no fingerprint names an empty one.

    Attempts that failed belong to a group, as do jobs that died with their worker. A group goes
    with the last of its attempts, unless it is silenced.
    """

    def __new__(cls, store: Store) -> Failures: ...
    def groups(
        self,
        *,
        state: Literal["open", "silenced", "resolved"] | None = None,
        task: str | None = None,
        limit: int = 1000,
    ) -> list[GroupRow]:
        """The one that failed last comes first."""
    def group(self, fingerprint: str) -> GroupRow | None: ...
    def jobs(self, fingerprint: str, *, limit: int) -> list[JobRow]:
        """Those counted in ``dead``, newest death first, then those counted in ``retrying``."""
    def attempts(self, fingerprint: str, *, limit: int) -> list[AttemptRow]:
        """Newest first."""
    def letters(
        self, fingerprint: str, *, after: str | None = None, limit: int
    ) -> list[tuple[str, str]]:
        """The dead letters after that one, oldest first, each with its job."""
    def hours(self, fingerprint: str, since: int, hours: int) -> list[int]:
        """How many attempts failed in each of so many hours from ``since`` on."""
    def judge(self, fingerprint: str, state: Literal["open", "silenced", "resolved"]) -> bool:
        """Say what people make of a group. False when there is no such group."""
    def result_preview(self, job_id: str) -> str | None:
        """What a job returned, as its worker wrote it for people."""

@final
class RetryPolicy:
    """How one task waits between attempts: ``min(cap, base * 2**n) + U[0, base)``.

    ``delays_ms``, unless empty, gives the exact waits instead: the n-th retry waits the n-th,
    the last one repeats. ``retry_timeouts`` says whether an attempt that ran over its timeout
    is repeated.
    """

    def __new__(
        cls,
        *,
        backoff_ms: int = 1000,
        max_delay_ms: int = 300_000,
        delays_ms: Sequence[int] | None = None,
        retry_timeouts: bool = True,
    ) -> RetryPolicy: ...

@final
class Claim:
    """One attempt this worker holds: what to run, and the token to settle it with.

    Claims of the same attempt are equal and hash alike, so that a claim from an event finds
    what was kept under the claim that :meth:`Engine.next` returned.
    """

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    @property
    def job_id(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def payload(self) -> bytes:
        """The serialized arguments."""
    @property
    def inputs(self) -> list[bytes] | None:
        """Results of other jobs that go in front of its arguments, see ``inputs_as``."""
    @property
    def inputs_as(self) -> Literal["one", "list"] | None:
        """How ``inputs`` go there: the only one itself, or all as one list."""
    @property
    def retry_count(self) -> int: ...
    @property
    def max_retries(self) -> int: ...
    @property
    def timeout_ms(self) -> int: ...

@final
class Outcome:
    """What happened to one attempt."""

    @staticmethod
    def done(result: bytes, *, preview: str | None = None) -> Outcome:
        """It returned: complete. ``preview`` is the result for people."""
    @staticmethod
    def failed(
        error: str,
        *,
        retryable: bool = True,
        delay_ms: int | None = None,
        cause: Cause | None = None,
    ) -> Outcome:
        """It failed: retried, after exactly ``delay_ms`` if given, or dead.

        Dead when it is not retryable or no retry is left. ``cause`` puts it into its group.
        """
    @staticmethod
    def snoozed(delay_ms: int) -> Outcome:
        """It wants to be called again later: no retry spent, no error record."""
    @staticmethod
    def cancelled(error: str) -> Outcome:
        """It was called off: cancelled, with this error. No error record."""
    @staticmethod
    def timed_out() -> Outcome:
        """The answer to an event ``overdue``, and nothing else. Counts as a failure.

        The engine writes the error text and applies ``retry_timeouts``.
        """

EventKind: TypeAlias = Literal[
    "hire",  # `count` more threads should loop over Engine.next
    "overdue",  # `claim` ran over its timeout, see Engine.events
    "cancel",  # `claim` is to be cancelled, or no longer the current attempt of its job
    "settled",  # `claim` was settled along `arrow`, after the commit
    "lost",  # the job of `claim`, of another worker, was dead-lettered: `error`
    "schedule",  # something is wrong with `schedule`: `error`, the end of a sentence about it
    "trouble",  # transactions of the worker fail since now: `error`
    "recovered",  # they no longer do
    "disowned",  # others took this worker for dead: it claims nothing any more and ends
    "stranded",  # other code of the process closed our files: the worker ended as if it had died
]

Arrow: TypeAlias = Literal[
    "complete",
    "retry",  # a retry was spent: `retry_count` is the new value
    "snooze",
    "dead",
    "cancelled",  # also instead of retry, snooze and handed_back, when that was requested
    "handed_back",
    "stale",  # another attempt of the job counts; nothing changed
]

@final
class Event:
    """Something that happened to a worker. Which attributes are set depends on ``kind``."""

    @property
    def kind(self) -> EventKind: ...
    @property
    def claim(self) -> Claim | None:
        """The attempt of ``overdue``, ``cancel`` and ``settled``, without payload and inputs.

        Of ``lost`` the last attempt of the job, with its payload.
        """
    @property
    def count(self) -> int | None:
        """Of ``hire``."""
    @property
    def schedule(self) -> str | None:
        """Of ``schedule``: its name."""
    @property
    def arrow(self) -> Arrow | None:
        """Of ``settled``."""
    @property
    def retry_count(self) -> int | None:
        """Of ``settled``: retries the job has spent now."""
    @property
    def error(self) -> str | None:
        """Of ``lost``, as the dead letter has it, of ``schedule`` and of ``trouble``."""

@final
class Engine:
    """One worker: claims jobs of a store, hands them out, settles their outcomes.

    Life: construct, :meth:`register` tasks (also later), :meth:`start`, then any number
    of threads loop over :meth:`next` and :meth:`settle`, an event loop over
    :meth:`next_coroutines`, and one thread over :meth:`events`; :meth:`drain` or :meth:`stop`
    end it and :meth:`join` reports the end.

    An attempt *counts* until it is settled, handed back, or given up over its timeout.
    """

    def __new__(
        cls,
        store: Store,
        *,
        threads: int,
        coroutines: int = 0,
        queues: Sequence[str] = (),
        result_ttl_ms: int | None = None,
    ) -> Engine:
        """``threads`` callers of :meth:`next` will exist; no queues means all of them.

        At most ``coroutines`` attempts of :meth:`next_coroutines` run at once beside them.
        Finished jobs without a time to live of their own are deleted after ``result_ttl_ms``;
        ``None`` keeps them.
        """
    @property
    def worker_id(self) -> str:
        """Known once :meth:`start` has returned."""
    def register(
        self,
        task: str,
        policy: RetryPolicy,
        *,
        is_async: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """Let this worker claim jobs of a task. Effective at once, also while running.

        Those of an async task come from :meth:`next_coroutines`, all others from :meth:`next`.
        """
    def declare(self, plans: Sequence[Plan]) -> None:
        """Store schedules and fire them until the worker ends.

        Before :meth:`start` they are kept for it; later this is effective at once. A schedule
        that is stored already takes the new settings, and keeps its next fire unless its
        expression or time zone is another.
        """
    def want_lost(self) -> None:
        """Send events ``lost`` from now on. They carry the arguments of jobs.

        A job is lost when its worker died, or was stuck beyond the job's timeout, and this
        worker gave it up in its place.
        """
    def start(self) -> None:
        """Register the worker, recover jobs of dead workers, start claiming."""
    def start_by_hand(self) -> None:
        """Register the worker and recover jobs of dead workers, but begin nothing.

        Such a worker has no threads of its own: it claims when :meth:`take` is called and
        settles when :meth:`commit` is, until :meth:`leave`. For tests that step a clock.
        """
    def take(self) -> Claim | None:
        """Claim the one job that runs next; ``None`` if none is due or ``threads`` run.

        Commits what was settled before.
        """
    def next_due(self) -> int | None:
        """When :meth:`take`, which found nothing, should look again: at a due job or a limit.

        ``None`` while time alone changes nothing.
        """
    def commit(self) -> list[Event]:
        """Commit what was settled; returns the events since the last commit when it is stored.

        Progress and log lines of such a worker are stored when they are reported.
        """
    def tend(self) -> None:
        """Do what becomes due with time alone: jobs expire, and are deleted in the end."""
    def tick(self) -> int | None:
        """Fire the schedules that are due; when the next one is, or ``None``."""
    def leave(self) -> None:
        """Hand back what is unfinished and leave the database. Idempotent."""
    def next(self) -> Claim | None:
        """The next job to run; blocks while there is none, ``None`` when the worker ends."""
    def next_coroutines(self) -> list[Claim] | None:
        """The jobs that an event loop should start now, in their order; never blocks.

        They start now for the engine: their timeouts run. ``None`` when the worker has ended.
        """
    def fileno(self) -> int:
        """A descriptor that is readable while :meth:`next_coroutines` has something to say."""
    def settle(self, claim: Claim, outcome: Outcome, *, notify: bool = False) -> bool:
        """Report an attempt. Returns at once; the engine commits it with the next batch.

        Call it for every attempt whose function has come to its end, also when that was
        given up: the runner is free then. ``False`` if the attempt no longer counted: the
        outcome is dropped. With ``notify`` exactly one event ``settled`` follows an outcome
        that was not dropped, after its commit, unless the store fails until the end.
        """
    def events(self) -> list[Event]:
        """What happened since the last call, in order; blocks until there is something.

        ``[]`` means that the worker has left and all events were told. To be read by one
        thread that never waits for long, as nothing else replaces threads or cancels
        coroutines. Python signal handlers run while this waits.

        ``overdue``: the attempt counts no more. Its thread is replaced by the next ``hire``;
        its coroutine should be cancelled. Run the hooks of a failure with
        ``TaskTimeoutError`` and then settle it as :meth:`Outcome.timed_out`, within 350 ms:
        after that the engine does so by itself, and the answer is dropped. In either case one
        event ``settled`` follows. What the function does later changes nothing.

        ``cancel``: comes once for an attempt. A coroutine should be cancelled; if it is not
        settled after 5 seconds, the engine settles it as cancelled, says so with an event
        ``settled``, and frees its slot. Comes also for attempts that are handed back at the
        end of a drain.
        """
    def is_current(self, claim: Claim) -> bool:
        """Whether the attempt counts: its outcome would not be dropped now."""
    def is_cancelled(self, claim: Claim) -> bool:
        """Whether its cancellation was requested, or it no longer counts.

        Known within 0.5 seconds of the request; does not touch the database.
        """
    def progress(self, claim: Claim, progress: int) -> None:
        """Note how far an attempt has come, 0 to 100.

        Returns at once. Readers see it within 0.1 seconds, and before the job's end. Dropped
        when the attempt no longer counts.
        """
    def log(self, claim: Claim, level: str, message: str, extra: str | None = None) -> None:
        """Note a log line; ``extra`` is a JSON object. Stored like :meth:`progress`.

        Waits for up to a second when 10,000 lines wait to be stored, and drops the line if
        the store fails for that long.
        """
    @property
    def abandoned(self) -> int:
        """How many threads are busy with attempts that ran over their timeout."""
    @property
    def most_abandoned(self) -> int:
        """At so many abandoned threads, 32 or four times ``threads``, nothing more is claimed."""
    def drain(self, timeout_ms: int) -> None:
        """Claim nothing more, hand back what has not started, wait for what runs.

        Returns at once. After ``timeout_ms`` running jobs are handed back as well.
        A second call can only shorten the wait.
        """
    def stop(self) -> None:
        """Like ``drain(0)``: hand back everything now."""
    def join(self, timeout_ms: int | None = None) -> bool:
        """Block until the worker has left the database; False at the deadline.

        Ctrl-C and other signals run their Python handlers while this waits.
        """

def limit_reads(limit_ms: int | None) -> None:
    """Let no question of the calling thread take longer: it raises kind ``too_broad`` then.

    Holds for all stores until it is set anew; ``None`` lets them take as long as they do.
    """

@final
class OperationRow:
    """Something that is done to all jobs that meet a filter."""

    @property
    def id(self) -> str: ...
    @property
    def verb(self) -> Verb: ...
    @property
    def filter(self) -> str:
        """The text that was given for the terms."""
    @property
    def who(self) -> str: ...
    @property
    def total(self) -> int:
        """How many jobs there were when it began, as it was given."""
    @property
    def rate(self) -> int | None:
        """At most so many jobs in a second."""
    @property
    def stop_after(self) -> int | None:
        """It stops when so many of the jobs that it made have failed."""
    @property
    def state(self) -> Literal["running", "done", "stopped"]: ...
    @property
    def done(self) -> int: ...
    @property
    def skipped(self) -> int:
        """Jobs that matched, but had moved on or could not be touched."""
    @property
    def failed(self) -> int:
        """How many of the jobs that it made have failed so far, counted up to 1000."""
    @property
    def started_at(self) -> int: ...
    @property
    def ended_at(self) -> int | None: ...
    @property
    def report(self) -> str | None:
        """Why it ended before the last job."""

@final
class AuditRow:
    """One thing that a person did."""

    @property
    def at(self) -> int: ...
    @property
    def who(self) -> str: ...
    @property
    def deed(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def count(self) -> int: ...

@final
class Bulk:
    """Many jobs of a store at once. One object is one driver of operations.

    A term is a field, whether it is denied, and values of which one must fit. Fields are
    ``state``, ``queue``, ``task``, ``worker``, ``id``, ``fp``, ``error``, ``tag``,
    ``text``, ``args.NAME``, and ``age>``, ``age<``, ``run>``, ``run<``, ``created>`` (or at the
    same instant) and ``created<`` with milliseconds. Unknown fields and values raise kind
    ``invalid``.
    """

    def __new__(cls, store: Store) -> Bulk: ...
    def search(
        self,
        terms: list[tuple[str, bool, list[str]]],
        *,
        before: str | None = None,
        newest: str | None = None,
        limit: int = 50,
        budget: int = 100_000,
        patience_ms: int = 2000,
    ) -> tuple[list[JobRow], str | None, int]:
        """Jobs that meet all terms, newest first, ``before`` one, none newer than ``newest``.

        Terms that neither counters nor keys can tell are compared with about ``budget`` jobs at
        most, and no search takes much longer than ``patience_ms``. Returns the jobs; the last
        job that was looked at, for the next call, or ``None`` when all were; and how many were
        looked at, without those of the last stretch.
        """
    def count(
        self,
        terms: list[tuple[str, bool, list[str]]],
        *,
        after: str | None = None,
        cap: int,
        budget: int = 100_000,
        patience_ms: int = 2000,
    ) -> tuple[int, bool]:
        """How many jobs meet all terms, counted up to ``cap``, and whether all were looked at.

        Those newer than ``after``, if that is given; then about ``budget`` jobs at most are looked
        at, whatever the terms.
        """
    def begin(
        self,
        verb: Verb,
        terms: list[tuple[str, bool, list[str]]],
        text: str,
        who: str,
        *,
        total: int,
        rate: int | None = None,
        stop_after: int | None = None,
    ) -> str:
        """Write down an operation on all jobs that meet the terms, and who began it; its id.

        Jobs that are enqueued later never join, and ages are as of now. Any worker drives it, as
        does whoever calls :meth:`drive`.
        """
    def stop(self, operation_id: str, who: str) -> bool:
        """End an operation; ``False`` if it was over, or there is none."""
    def drive(self) -> float | None:
        """Take the oldest operation that nobody else drives one batch further.

        Returns 0 if there may be more to do at once, the seconds after which a rate lets it go
        on, or ``None`` when there is nothing to do here.
        """
    def undo(self, operation_id: str, who: str) -> int | None:
        """Take back an operation that is over, as far as that can be done; of how many jobs.

        New jobs that no worker has had go, and revived dead letters come back. Jobs that waited
        and were cancelled wait again, under new ids; not those that others depend on. ``None``
        when there is nothing to take back, as after a deletion. Looks at 1000 jobs at most.
        """
    def touched(self, operation_id: str, limit: int) -> list[tuple[str, str | None]]:
        """The first jobs that can be taken back, oldest first, and the new job made of each."""
    def operations(self, limit: int) -> list[OperationRow]:
        """Operations, newest first."""
    def operation(self, operation_id: str) -> OperationRow | None: ...
    def audit(self, who: str, deed: str, subject: str, count: int) -> None:
        """Write down what somebody did."""
    def deeds(self, limit: int) -> list[AuditRow]:
        """What people did, newest first. Remembered for 90 days."""
    def mark(self, who: str, text: str) -> None:
        """Mark this instant; it is among what people did."""
    def marks(self, since: int, until: int, limit: int) -> list[AuditRow]:
        """What people marked from ``since`` until before ``until``, newest first."""
