"""The end of the example: a table for people, one document for programs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from examples.common.program import Answer
from examples.common.screen import Paint
from examples.notifications.check import DELIVERED, Books, largest_burst, most_at_once
from examples.notifications.limits import MAIL_AT_ONCE, TENANT_AT_ONCE, TENANT_RATE
from examples.notifications.plan import Plan
from examples.notifications.provider import Delivery

LISTED_AT_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that the example found out.

    Attributes:
        plan: what was to be sent.
        deliveries: the provider's record.
        books: what the service says.
        digests: how often the digest ran.
        seconds: how long it all took.
        differences: what is not as it must be.
        database: the queue's file if it is still there, else ``None``.
    """

    plan: Plan
    deliveries: Sequence[Delivery]
    books: Books
    digests: int
    seconds: float
    differences: list[str]
    database: str | None

    @property
    def answers(self) -> Counter[int]:
        """How often the provider gave each answer."""
        return Counter(int(one.status) for one in self.deliveries)

    @property
    def sent_digests(self) -> int:
        """How many digests arrived."""
        return sum(
            one.message.ref.startswith("digest ") and one.status == DELIVERED
            for one in self.deliveries
        )

    @property
    def busiest(self) -> tuple[int, float]:
        """The most requests at once, and the largest burst, of any customer."""
        rows = [
            [one for one in self.deliveries if one.message.tenant == tenant]
            for tenant in {one.message.tenant for one in self.deliveries}
        ]
        at_once = max(map(most_at_once, rows), default=0)
        bursts = (largest_burst([one.arrived for one in row], TENANT_RATE) for row in rows)
        return at_once, max(bursts, default=0.0)


def answer_of(service: Service) -> Answer:
    """Return what the command prints."""
    wrong = service.differences
    problem = f"{len(wrong):,} things are wrong, first: {wrong[0]}" if wrong else None
    at_once, burst = service.busiest
    return Answer(
        document={
            "requests": len(service.deliveries),
            "answers": {str(status): n for status, n in sorted(service.answers.items())},
            "digests": {"run": service.digests, "sent": service.sent_digests},
            "events": len(service.plan.events),
            "deduplicated": service.books.deduplicated,
            "dead": sorted(service.books.dead),
            "expired": sorted(service.books.expired),
            "at_once": {"service": most_at_once(service.deliveries), "tenant": at_once},
            "burst": round(burst, 3),
            "seconds": round(service.seconds, 3),
            "check": {"agrees": not wrong, "differences": wrong},
            "database": service.database,
        },
        table=lambda paint: _rows(service, paint),
        problem=problem,
    )


def _rows(service: Service, paint: Paint) -> Iterator[tuple[str, list[str]]]:
    answers, books = service.answers, service.books
    at_once, burst = service.busiest
    yield "sent", [f"{answers[DELIVERED]:,} messages in {service.seconds:.1f} s"]
    yield "digests", [f"{service.sent_digests:,} sent, of {len(service.plan.events):,} events"]
    yield "retries", [f"{answers[503]:,} after the provider was not available"]
    yield "once", [f"{books.deduplicated:,} alerts were waiting already"]
    yield "too late", [f"{len(books.expired):,} codes, never sent"]
    yield "dead", [f"{ref}: nobody has the address" for ref in sorted(books.dead)] or ["none"]
    yield (
        "limits",
        [
            f"{most_at_once(service.deliveries)} at once, {MAIL_AT_ONCE} are allowed",
            f"{at_once} at once of one customer, {TENANT_AT_ONCE} are allowed",
            f"{burst:.1f} above {TENANT_RATE}/s at a time, {TENANT_RATE} are allowed",
        ],
    )
    yield "check", _check_rows(service, paint)
    if service.database:
        yield "kept", [service.database, f"look inside: taskito info --db {service.database}"]


def _check_rows(service: Service, paint: Paint) -> list[str]:
    if not service.differences:
        text = "✓ by the provider's record all arrived once, and no limit was exceeded"
        return [paint.green(text)]
    rows = [paint.red(f"✗ {len(service.differences):,} things are wrong")]
    return [*rows, *service.differences[:LISTED_AT_MOST]]
