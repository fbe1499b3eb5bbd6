"""The notification service of the examples, run as anyone would run it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.notifications.check import Books, differences, largest_burst, most_at_once
from examples.notifications.message import Message
from examples.notifications.plan import ASKED, Plan, make
from examples.notifications.provider import Delivery

from tests.support import examples

TENANTS, NOTICES = 2, 5
SMALL = ("--tenants", str(TENANTS), "--notices", str(NOTICES))


class TestNotifications:
    def test_all_arrive_once_and_no_limit_is_exceeded(self) -> None:
        found = examples.document("notifications", *SMALL)

        assert found["check"] == {"agrees": True, "differences": []}
        digests = found["digests"]["sent"]
        assert 0 < digests <= found["events"] == 12
        wanted = TENANTS * (NOTICES + 2)
        assert found["answers"]["200"] == wanted + digests
        assert found["answers"]["422"] == len(found["dead"]) == TENANTS
        assert found["answers"]["503"] > 0
        assert found["deduplicated"] == TENANTS * (ASKED - 1)
        assert found["expired"] == ["late-code 0 of tenant-0", "late-code 0 of tenant-1"]
        assert found["at_once"]["tenant"] <= 2

    def test_the_table_says_what_happened_and_that_the_check_agrees(self) -> None:
        done = examples.run("notifications", *SMALL, "--workers", "1", "--seed", "7")

        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "dead       bad 0 of tenant-0: nobody has the address" in done.stdout
        assert "too late   2 codes, never sent" in done.stdout
        assert "✓ by the provider's record all arrived once" in done.stdout

    def test_interrupting_it_stops_its_workers(self, tmp_path: Path) -> None:
        examples.interrupt("notifications", "--notices", "500", folder=tmp_path)

    def test_no_customers_are_a_usage_error(self) -> None:
        done = examples.run("notifications", "--tenants", "0")

        assert done.returncode == 2
        assert "'0' is not a number above zero" in done.stderr


class World:
    """A perfect run, which tests spoil.

    Attributes:
        plan: what is to be sent.
        deliveries: what the provider saw, one request after the other.
        books: what the service says.
    """

    def __init__(self) -> None:
        self.plan: Plan = make(TENANTS, NOTICES, seed=1)
        self.deliveries: list[Delivery] = []
        self.books = Books(
            resumed_at=100.0,
            deduplicated=TENANTS * (ASKED - 1),
            dead=[message.ref for message in self.plan.hopeless],
            expired=[message.ref for message in self.plan.late_codes],
        )
        for message in self.plan.wanted:
            if message.ref in self.plan.flaky:
                self.request(message, 503)
            self.request(message, 200)
        for message in self.plan.hopeless:
            self.request(message, 422)
        for event in self.plan.events:
            self.request(
                Message(
                    ref=f"digest {event.text}",
                    tenant=event.tenant,
                    address=event.address,
                    text=event.text,
                ),
                200,
            )

    def request(self, message: Message, status: int) -> None:
        at = 100.0 + len(self.deliveries)
        self.deliveries.append(Delivery(message=message, arrived=at, left=at + 0.5, status=status))

    def spoil(self, place: int, **changes: object) -> Delivery:
        """Change one request; how it was before."""
        before = self.deliveries[place]
        self.deliveries[place] = dataclasses.replace(before, **changes)  # type: ignore[arg-type]
        return before

    def differences(self) -> list[str]:
        return differences(self.plan, self.deliveries, self.books, ASKED)


class TestCheck:
    @pytest.fixture
    def world(self) -> Iterator[World]:
        world = World()
        assert world.differences() == []
        yield world
        assert world.differences() != []

    def test_it_notices_what_did_not_arrive(self, world: World) -> None:
        gone = world.deliveries.pop(0)
        twice = world.deliveries[-20]
        world.deliveries.append(twice)

        assert set(world.differences()) >= {
            f"{gone.message.ref} took 1 requests instead of 2",
            f"{twice.message.ref} was delivered 2 times instead of once",
        }

    def test_it_notices_what_should_not_have_been_sent(self, world: World) -> None:
        late, bad = world.plan.late_codes[0], world.plan.hopeless[0]
        world.request(late, 200)
        world.request(bad, 200)

        assert world.differences() == [
            f"{bad.ref} took 2 requests instead of 1",
            f"{bad.ref} was delivered to an address that nobody has",
            f"{late.ref} should not have been sent",
        ]

    def test_it_notices_events_that_were_lost_or_told_twice(self, world: World) -> None:
        lost, twice = world.deliveries.pop(), world.deliveries[-1]
        world.request(twice.message, 200)

        assert set(world.differences()) == {
            f"{lost.message.text} was in 0 digests instead of 1",
            f"{twice.message.text} was in 2 digests instead of 1",
        }

    def test_it_notices_books_that_are_wrong(self, world: World) -> None:
        world.books = dataclasses.replace(world.books, deduplicated=0, dead=[], expired=["x"])

        assert set(world.differences()) >= {
            f"0 alerts were found to wait already instead of {TENANTS * (ASKED - 1)}",
            "bad 0 of tenant-0 is a dead letter 0 times instead of 1",
            "late-code 0 of tenant-0 is expired 0 times instead of 1",
            "x is expired 1 times instead of 0",
        }

    def test_it_notices_what_was_sent_while_the_queue_was_paused(self, world: World) -> None:
        early = world.spoil(0, arrived=99.0)

        assert world.differences() == [f"{early.message.ref} was sent while the queue was paused"]

    def test_it_notices_more_at_once_than_allowed(self, world: World) -> None:
        places = [n for n, one in enumerate(world.deliveries) if one.message.tenant == "tenant-0"]
        for place in places[:3]:
            world.spoil(place, left=200.0)

        assert world.differences() == ["tenant-0 had 4 requests at once, 2 are allowed"]

    def test_it_notices_more_in_a_second_than_allowed(self, world: World) -> None:
        places = [n for n, one in enumerate(world.deliveries) if one.message.tenant == "tenant-0"]
        for number, place in enumerate(places[:12]):
            world.spoil(place, arrived=100 + number / 100, left=100 + number / 100 + 0.001)

        [found] = world.differences()
        assert found.startswith("tenant-0 sent 11.")
        assert found.endswith("messages more than 4/s at a time")

    def test_a_bucket_lets_through_what_it_holds_and_what_comes_back(self) -> None:
        assert largest_burst([], 4) == 0
        assert largest_burst([7.0], 4) == 1
        assert largest_burst([0, 0, 0, 0, 0.25, 0.5, 0.75, 1], 4) == 4
        assert largest_burst([0, 5, 5, 5, 5, 5], 4) == 5
        assert most_at_once([]) == 0
