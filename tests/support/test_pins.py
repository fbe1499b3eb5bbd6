"""The helper that proves bounds on a busy machine."""

import os

import pytest

from tests.support.pins import median_within, processor_seconds, within


def test_the_first_round_that_keeps_to_the_bound_is_proof() -> None:
    rounds = iter([0.5, 0.3, 0.1, 0.0])
    assert within(0.2, lambda: next(rounds)) == 0.1


def test_a_bound_that_is_never_kept_fails_with_all_that_was_seen() -> None:
    rounds = iter([0.5, 0.3])
    with pytest.raises(AssertionError, match=r"never within 0\.2 s in 2 rounds: 0\.5000, 0\.3000"):
        within(0.2, lambda: next(rounds), rounds=2)


def test_a_few_slow_samples_do_not_move_a_median() -> None:
    samples = iter([9.0, 0.1, 0.1, 9.0, 0.1])
    assert median_within(0.2, lambda: next(samples), samples=5, rounds=1) == 0.1


def test_a_round_that_is_lost_ends_early() -> None:
    samples = iter([0.1, 9.0, 9.0, 9.0, *[0.1] * 5])
    assert median_within(0.2, lambda: next(samples), samples=5, rounds=2) == 0.1
    assert next(samples, None) is None


def test_the_time_of_a_process_grows_with_what_it_does() -> None:
    before = processor_seconds(os.getpid())
    assert sum(range(1_000_000)) > 0
    assert processor_seconds(os.getpid()) > before
