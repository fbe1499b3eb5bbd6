"""Groups of failures, for operators: what they are, and what is done with their dead letters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from taskito._core import AttemptRow, GroupRow, JobRow, Store
    from taskito._database import Database

State: TypeAlias = Literal["open", "silenced", "resolved"]

_PORTION = 500


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of failures of one database. Fingerprints that no group has name an empty one."""

    database: "Database"

    def all(self, *, state: State | None = None, task: str | None = None) -> "list[GroupRow]":
        """Return up to 1,000 groups, the one that failed last first."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            return Failures(store).groups(state=state, task=task)

    def failing(self, most: int) -> "list[GroupRow]":
        """Return groups that jobs are in now, in no order that means anything."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            return Failures(store).failing(limit=most)

    def get(self, fingerprint: str) -> "GroupRow | None":
        """Return one group."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            return Failures(store).group(fingerprint)

    def jobs(self, fingerprint: str, most: int) -> "list[JobRow]":
        """Return jobs of a group: the dead with a letter first, and the newest first."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            return Failures(store).jobs(fingerprint, limit=most)

    def oldest(self, fingerprint: str) -> str | None:
        """Return the job of a group that is dead longest and has a letter."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            letters = Failures(store).letters(fingerprint, limit=1)
        return letters[0][1] if letters else None

    def attempts(self, fingerprint: str, most: int) -> "list[AttemptRow]":
        """Return the newest failed attempts of a group, the newest first."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            return Failures(store).attempts(fingerprint, limit=most)

    def hours(self, fingerprint: str, since: int, hours: int) -> list[int]:
        """Return how many attempts failed in each of so many hours from an instant in ms on."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            return Failures(store).hours(fingerprint, since, hours)

    def result_preview(self, job_id: str) -> str | None:
        """Return what a job returned, as its worker wrote it for people."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            return Failures(store).result_preview(job_id)

    def judge(self, fingerprint: str, state: State) -> bool:
        """Say what people make of a group; whether there is such a group."""
        from taskito._core import Failures  # noqa: PLC0415 - loads the engine

        with self.database as store:
            return Failures(store).judge(fingerprint, state)

    def retry(self, fingerprint: str, most: int | None = None) -> list[str]:
        """Store the jobs of dead letters of a group again, oldest letter first.

        Done in transactions of 500. Letters that come meanwhile are left alone, and each is
        retried once, whoever else does the same.

        Args:
            fingerprint: The group.
            most: At most so many; one is a canary.

        Returns:
            The ids of the new jobs.
        """
        new: list[str] = []
        with self.database as store:
            for letters in _portions(store, fingerprint):
                wanted = letters if most is None else letters[: most - len(new)]
                if not wanted:
                    break
                new += store.revive_all(wanted)
        return new

    def discard(self, fingerprint: str) -> int:
        """Remove the dead letters of a group; the jobs stay dead. How many there were."""
        with self.database as store:
            return sum(store.discard(letters) for letters in _portions(store, fingerprint))


def document(group: "GroupRow") -> dict[str, Any]:
    """Return a group as a document."""
    return {
        "fingerprint": group.fingerprint,
        "task_name": group.task,
        "error_type": group.error_type,
        "template": group.template,
        "location": group.location,
        "first_seen": group.first_seen,
        "last_seen": group.last_seen,
        "state": group.state,
        "dead": group.dead,
        "retrying": group.retrying,
    }


def _portions(store: "Store", fingerprint: str) -> Iterator[list[str]]:
    """Give the dead letters that a group has now, oldest first."""
    from taskito._core import Failures  # noqa: PLC0415 - loads the engine

    failures = Failures(store)
    newest = next((letter.id for letter in store.dead_letters(limit=1)), "")
    after: str | None = None
    while letters := failures.letters(fingerprint, after=after, limit=_PORTION):
        # Ids begin with the instant, so their order is that of the deaths.
        yield [letter for letter, _ in letters if letter <= newest]
        after = letters[-1][0]
