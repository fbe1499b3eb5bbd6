"""How long answers are shared: as long as what it takes to make them allows."""

from collections.abc import Callable

import pytest

from taskito_dashboard import keeping
from taskito_dashboard.keeping import LONGEST_S, SHORTEST_S, Shared


class Clocks:
    """What time is, and how much of it a processor was busy."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.busy = 0.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.busy


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(keeping, "time", clocks)
    return clocks


@pytest.fixture
def age(clocks: Clocks) -> Callable[..., float]:
    """Let time pass; return how old the oldest answer got that somebody saw."""

    def look(costs: dict[str, float], seconds: float = 60.0) -> float:
        shared: Shared[float] = Shared()
        oldest = 0.0
        end = clocks.now + seconds
        while clocks.now < end:
            for key, cost in costs.items():

                def make(cost: float = cost) -> float:
                    clocks.busy += cost
                    return clocks.now

                oldest = max(oldest, clocks.now - shared.get(key, make))
            clocks.now += 0.125
        return oldest

    return look


def test_what_costs_little_is_young(age: Callable[..., float]) -> None:
    assert age({"/": 0.003}) == pytest.approx(SHORTEST_S, abs=0.2)


@pytest.mark.parametrize(
    "costs", [{"/": 0.045}, {f"/{number}": 0.009 for number in range(5)}], ids=["dear", "many"]
)
def test_all_together_cost_no_more_than_their_share(
    age: Callable[..., float], clocks: Clocks, costs: dict[str, float]
) -> None:
    assert SHORTEST_S < age(costs) < LONGEST_S
    assert clocks.busy / 60 == pytest.approx(keeping.SHARE, rel=0.15)


def test_nothing_is_older_than_the_limit(age: Callable[..., float]) -> None:
    assert age({"/": 3.0}) == pytest.approx(LONGEST_S, abs=0.2)


def test_what_nobody_asks_for_any_more_does_not_count(clocks: Clocks) -> None:
    shared: Shared[None] = Shared()

    def dear() -> None:
        clocks.busy += 1.0

    shared.get("dear", dear)
    clocks.now += 60
    made = []
    for _ in range(3):
        shared.get("/", lambda: made.append(clocks.now))
        clocks.now += SHORTEST_S + 0.125
    assert len(made) == 3
