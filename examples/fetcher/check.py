"""Whether the jobs fetched what the server has, no more at once than allowed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from examples.fetcher.documents import Document
from examples.fetcher.server import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of one job.

    Attributes:
        checksum: what it returned, or ``None`` if it did not.
        status: how it ended.
        progress: the last percentage it told.
        attempts: how often it tried.
    """

    checksum: str | None
    status: str
    progress: int | None
    attempts: int


def differences(
    documents: Sequence[Document],
    tally: Tally,
    fetched: Mapping[str, Fetched],
    *,
    at_once: int,
) -> list[str]:
    """Return one sentence for everything that is not as it must be; none is good."""
    found = [line for d in documents for line in _wrong(d, fetched[d.path])]
    if tally.unfinished:
        found.append(f"{tally.unfinished} connections are still open")
    long = Counter(document.path for document in documents if document.is_long)
    if long != Counter(tally.broken_off):
        found.append(f"{len(tally.broken_off)} connections ended early instead of {long.total()}")
    attempts = sum(outcome.attempts for outcome in fetched.values())
    if tally.requests != attempts:
        found.append(f"{tally.requests} requests by {attempts} attempts")
    if tally.peak > at_once + long.total():  # for a moment after its client went a request counts
        found.append(f"{tally.peak} requests at once, {at_once} allowed")
    return found


def _wrong(document: Document, fetched: Fetched) -> Iterator[str]:
    if document.is_long:
        if fetched.status != "cancelled" or fetched.progress == 100:
            yield f"{document.path} is {fetched.status} at {fetched.progress} %"
    elif fetched.status != "complete":
        yield f"{document.path} is {fetched.status}"
    elif fetched.checksum != document.checksum:
        yield f"the checksum of {document.path} is wrong"
    elif fetched.progress != 100:
        yield f"{document.path} was complete at {fetched.progress} %"
