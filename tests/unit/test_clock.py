"""The time of a store is that of its clock."""

from pathlib import Path

import pytest

from taskito._core import Clock, JobSpec, Store

START = 1_900_000_000_000


def test_a_clock_stands_still_until_it_is_told_to_move() -> None:
    clock = Clock(START)
    assert clock.now == START
    clock.advance(0)
    clock.advance(1500)
    assert clock.now == START + 1500


def test_a_clock_does_not_go_back() -> None:
    clock = Clock(START)
    with pytest.raises(ValueError, match="moves forward only, not by -1 ms"):
        clock.advance(-1)
    assert clock.now == START


def test_a_clock_stops_at_the_end_of_time() -> None:
    clock = Clock(START)
    clock.advance(2**63 - 1)
    assert clock.now == 2**63 - 1


@pytest.mark.parametrize("name", ["jobs.db", ":memory:"])
def test_what_happens_in_a_store_happens_at_the_time_of_its_clock(
    name: str, tmp_path: Path
) -> None:
    clock = Clock(START)
    store = Store(name if name == ":memory:" else str(tmp_path / name), clock=clock)
    [(first, _)] = store.insert([(JobSpec("t", delay_ms=60_000), b"", None)])
    clock.advance(5000)
    assert store.now == START + 5000
    [(second, _)] = store.insert([(JobSpec("t"), b"", None)])
    assert store.cancel(first)

    rows = {row.id: row for row in store.jobs()}
    assert (rows[first].created_at, rows[first].scheduled_at) == (START, START + 60_000)
    assert rows[first].completed_at == rows[second].created_at == START + 5000
    store.close()
