"""Whether everything arrived as it should, and never too fast: by the provider's own record."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from examples.notifications.limits import (
    MAIL_AT_ONCE,
    MAIL_RATE,
    TENANT_AT_ONCE,
    TENANT_RATE,
)
from examples.notifications.plan import Plan
from examples.notifications.provider import Delivery

DELIVERED, REFUSED = 200, 422

GRACE_S = 1.0
"""How much later than its start a request may arrive on a busy machine: then the next one seems
to come too soon. A limit that does not hold is exceeded by far more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the service itself says at the end.

    Attributes:
        resumed_at: when the queue was resumed, in seconds of the monotonic clock.
        deduplicated: how many alerts were found to wait already.
        dead: refs of the messages whose jobs are dead letters.
        expired: refs of those whose jobs expired.
    """

    resumed_at: float
    deduplicated: int
    dead: Sequence[str]
    expired: Sequence[str]


def differences(plan: Plan, deliveries: Sequence[Delivery], books: Books, asked: int) -> list[str]:
    """Return one sentence for everything that is not as it must be; none is good.

    Args:
        plan: what was to be sent.
        deliveries: the provider's record.
        books: what the service says.
        asked: how often each alert was raised.
    """
    return [
        *_wrong_arrivals(plan, deliveries),
        *_wrong_digests(plan, deliveries),
        *_wrong_books(plan, books, asked),
        *_too_early(deliveries, books.resumed_at),
        *_too_fast(deliveries),
    ]


def most_at_once(deliveries: Iterable[Delivery]) -> int:
    """Return how many requests the provider had at the same time."""
    moments = [(one.arrived, 1) for one in deliveries]
    moments += [(one.left, -1) for one in deliveries]
    here = most = 0
    for _, change in sorted(moments):
        here += change
        most = max(most, here)
    return most


def _wrong_arrivals(plan: Plan, deliveries: Sequence[Delivery]) -> Iterator[str]:
    delivered = Counter(one.message for one in deliveries if one.status == DELIVERED)
    requests = Counter(one.message for one in deliveries)
    for message in plan.wanted:
        if delivered[message] != 1:
            yield f"{message.ref} was delivered {delivered[message]} times instead of once"
        needed = 2 if message.ref in plan.flaky else 1
        if requests[message] != needed:
            yield f"{message.ref} took {requests[message]} requests instead of {needed}"
    for message in plan.hopeless:
        if requests[message] != 1:
            yield f"{message.ref} took {requests[message]} requests instead of 1"
    known = {*plan.wanted, *plan.hopeless}
    for message in delivered:
        if message in plan.hopeless:
            yield f"{message.ref} was delivered to an address that nobody has"
    for message in requests:
        if message not in known and not message.ref.startswith("digest "):
            yield f"{message.ref} should not have been sent"


def _wrong_digests(plan: Plan, deliveries: Iterable[Delivery]) -> Iterator[str]:
    found: Counter[tuple[str, str, str]] = Counter()
    for one in deliveries:
        if one.message.ref.startswith("digest ") and one.status == DELIVERED:
            for text in one.message.text.splitlines():
                found[one.message.tenant, one.message.address, text] += 1
    expected = Counter((event.tenant, event.address, event.text) for event in plan.events)
    for event in sorted(expected.keys() | found.keys()):
        if expected[event] != found[event]:
            yield f"{event[2]} was in {found[event]} digests instead of {expected[event]}"


def _wrong_books(plan: Plan, books: Books, asked: int) -> Iterator[str]:
    again = len(plan.alerts) * (asked - 1)
    if books.deduplicated != again:
        yield f"{books.deduplicated} alerts were found to wait already instead of {again}"
    for what, expected, found in (
        ("a dead letter", plan.hopeless, books.dead),
        ("expired", plan.late_codes, books.expired),
    ):
        refs = Counter(message.ref for message in expected)
        counts = Counter(found)
        for ref in sorted(refs.keys() | counts.keys()):
            if refs[ref] != counts[ref]:
                yield f"{ref} is {what} {counts[ref]} times instead of {refs[ref]}"


def _too_early(deliveries: Iterable[Delivery], resumed_at: float) -> Iterator[str]:
    for one in deliveries:
        if one.arrived < resumed_at:
            yield f"{one.message.ref} was sent while the queue was paused"


def _too_fast(deliveries: Sequence[Delivery]) -> Iterator[str]:
    by_tenant: defaultdict[str, list[Delivery]] = defaultdict(list)
    for one in deliveries:
        by_tenant[one.message.tenant].append(one)
    limits: list[tuple[str, Sequence[Delivery], int, int]]
    limits = [("the service", deliveries, MAIL_RATE, MAIL_AT_ONCE)]
    limits += [(name, rows, TENANT_RATE, TENANT_AT_ONCE) for name, rows in by_tenant.items()]
    for name, rows, rate, at_once in limits:
        most = most_at_once(rows)
        if most > at_once:
            yield f"{name} had {most} requests at once, {at_once} are allowed"
        burst = largest_burst([one.arrived for one in rows], rate)
        if burst > rate * (1 + GRACE_S):
            yield f"{name} sent {burst:.1f} messages more than {rate}/s at a time"


def largest_burst(arrivals: Iterable[float], rate: float) -> float:
    """Return by how many messages any stretch of time exceeded ``rate`` per second.

    A bucket of n tokens lets n messages more through than come back meanwhile, and no more.
    """
    lowest, largest = float("inf"), 0.0
    for number, at in enumerate(sorted(arrivals)):
        level = number - rate * at
        lowest = min(lowest, level)
        largest = max(largest, level - lowest + 1)
    return largest
