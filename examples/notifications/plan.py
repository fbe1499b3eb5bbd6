"""What happens in the made-up world: who is to be told what, and what is to come of it."""

import random
from dataclasses import dataclass

from examples.notifications.message import Message

BAD_EACH = 1
"""How many of a customer's addresses nobody has."""

ASKED = 5
"""How often each alert is raised while the first one still waits."""

FLAKY_SHARE = 0.2
"""The share of messages that the provider refuses at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that belongs in the next digest.

    Attributes:
        tenant: the customer.
        address: who is to read of it.
        text: what it was; no other event has the same.
    """

    tenant: str
    address: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is to be sent.

    Attributes:
        notices: plain messages.
        alerts: raised several times each, to be sent once.
        codes: of use for some time, and sent within it.
        late_codes: whose time is over before they can be sent.
        hopeless: to addresses that nobody has.
        events: for digests.
        flaky: the refs of messages that the provider refuses at first.
    """

    notices: list[Message]
    alerts: list[Message]
    codes: list[Message]
    late_codes: list[Message]
    hopeless: list[Message]
    events: list[Event]
    flaky: frozenset[str]

    @property
    def wanted(self) -> list[Message]:
        """What must arrive, besides digests."""
        return [*self.notices, *self.alerts, *self.codes]

    @property
    def bad_addresses(self) -> frozenset[str]:
        """Those that nobody has."""
        return frozenset(message.address for message in self.hopeless)


def make(tenants: int, notices: int, seed: int) -> Plan:
    """Make up who is to be told what.

    Args:
        tenants: how many customers there are.
        notices: how many plain messages each of them sends.
        seed: chooses addresses, events, and what the provider refuses at first.
    """
    choose = random.Random(seed)
    names = [f"tenant-{number}" for number in range(tenants)]

    def message(kind: str, tenant: str, number: int = 0) -> Message:
        address = f"{kind}-{number}@{tenant}.example"
        if kind == "notice":
            address = f"reader-{choose.randrange(3)}@{tenant}.example"
        ref = f"{kind} {number} of {tenant}"
        return Message(ref=ref, tenant=tenant, address=address, text=f"{kind} number {number}")

    plain = [message("notice", name, number) for number in range(notices) for name in names]
    events = [
        Event(
            tenant=name,
            address=f"reader-{choose.randrange(2)}@{name}.example",
            text=f"event {number} of {name}",
        )
        for number in range(6)
        for name in names
    ]
    flaky = {one.ref for one in plain if choose.random() < FLAKY_SHARE} | {plain[0].ref}
    return Plan(
        notices=plain,
        alerts=[message("alert", name) for name in names],
        codes=[message("code", name) for name in names],
        late_codes=[message("late-code", name) for name in names],
        hopeless=[message("bad", name, n) for name in names for n in range(BAD_EACH)],
        events=events,
        flaky=frozenset(flaky),
    )
