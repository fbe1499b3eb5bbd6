"""A short run of what ``python -m tests.fuzz`` does at length."""

import pytest

from tests.fuzz import mutate
from tests.fuzz.driver import fuzz, shares
from tests.fuzz.targets import TARGETS

INPUTS = 40_000
"""Of all targets together."""


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_comes_in_is_taken_or_refused_as_documented(target: str) -> None:
    count = max(shares(INPUTS)[target], 3 * len(mutate.corpus(target)))
    figures = fuzz(target, count, seed=1)
    assert figures.inputs == count
    if target not in {"app", "id"}:  # no module and no job is there
        assert figures.refused < count, "nothing was ever taken"


def test_the_same_seed_makes_the_same_inputs() -> None:
    first, again, other = (mutate.inputs("cron", seed) for seed in (1, 1, 2))
    kept = len(mutate.corpus("cron"))
    taken = [[next(source) for _ in range(kept + 200)] for source in (first, again, other)]
    assert taken[0] == taken[1]
    assert taken[0][:kept] == taken[2][:kept]
    assert taken[0] != taken[2]
    assert len(set(taken[0])) > 150
