"""Follows status and progress of jobs for any number of streams."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

from taskito.contrib.fastapi._shutdown import shutdown_here
from taskito.exceptions import TaskitoError

if TYPE_CHECKING:
    from taskito.queue import Queue

Facts: TypeAlias = tuple[str, int | None]
"""Status and progress of a job."""

_FINAL = frozenset({"complete", "failed", "dead", "cancelled"})
_LOOK = 0.1  # seconds between two looks at the jobs that are followed
_REPEAT = 0.5  # seconds after which a stream says the same again


@dataclass(eq=False, slots=True)
class _Follower:
    """One stream.

    Attributes:
        job_id: The job it follows.
        facts: What is known of it; ``None`` if it is gone.
        news: Set when the facts have changed, or the server is about to stop.
    """

    job_id: str
    facts: Facts | None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, facts: Facts | None) -> None:
        """Take what was found."""
        if facts != self.facts:
            self.facts = facts
            self.news.set()


class Watch:
    """Looks at all jobs that streams follow at once, from one thread, while there are any."""

    def __init__(self, queue: "Queue") -> None:
        """Follow nothing yet."""
        self._queue = queue
        self._lookouts: WeakKeyDictionary[asyncio.AbstractEventLoop, _Lookout]
        self._lookouts = WeakKeyDictionary()

    def facts(self, job_id: str) -> Facts | None:
        """Return how a job stands, ``None`` if there is none. Blocks for a read."""
        job = self._queue.get_job(job_id)
        if job is None:
            return None
        known = job.to_dict()
        return known["status"], known["progress"]

    async def follow(self, job_id: str, facts: Facts) -> AsyncIterator[Facts | None]:
        """Yield ``facts``, then each change at once, and every half second what is known.

        Ends after facts that are final or ``None``: the job is gone. Ends as well when the
        server begins to stop.
        """
        follower = _Follower(job_id, facts)
        loop, shutdown = asyncio.get_running_loop(), shutdown_here()
        lookout = self._lookouts.setdefault(loop, _Lookout(self))
        with shutdown.heard(follower.news), lookout.serving(follower):
            while True:
                yield follower.facts
                if follower.facts is None or follower.facts[0] in _FINAL:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(_REPEAT):
                        await follower.news.wait()
                if shutdown.has_begun:
                    return
                follower.news.clear()


class _Lookout:
    """The followers in one event loop, and the task that looks for them."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._followers: set[_Follower] = set()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def serving(self, follower: _Follower) -> Generator[None]:
        """Tell a follower what changes."""
        self._followers.add(follower)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(), name="taskito-watch")
        try:
            yield
        finally:
            self._followers.discard(follower)

    async def _look(self) -> None:
        """Look again and again, until nobody follows."""
        while True:
            await asyncio.sleep(_LOOK)
            if not (followers := tuple(self._followers)):
                self._task = None
                return
            with suppress(TaskitoError):  # the next look may succeed
                found = await asyncio.to_thread(self._read, {each.job_id for each in followers})
                for follower in followers:
                    follower.tell(found[follower.job_id])

    def _read(self, job_ids: Iterable[str]) -> dict[str, Facts | None]:
        return {job_id: self._watch.facts(job_id) for job_id in job_ids}
