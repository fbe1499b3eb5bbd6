"""The helper that all tests wait with."""

import pytest

from tests.support.until import until


class TestUntil:
    def test_it_returns_what_the_condition_returned(self) -> None:
        values = iter([0, None, "", 7])

        assert until(lambda: next(values)) == 7

    def test_an_assertion_means_not_yet(self) -> None:
        looks = iter([1, 2, 3])

        def third_look() -> bool:
            assert next(looks) == 3
            return True

        assert until(third_look)

    def test_the_deadline_reports_the_last_value(self) -> None:
        with pytest.raises(AssertionError, match=r"within 0 s; it last returned: \[\]"):
            until(list, within=0)

    def test_the_deadline_reports_the_last_assertion(self) -> None:
        def never() -> bool:
            raise AssertionError("one is not two")

        with pytest.raises(AssertionError, match="it last failed with: one is not two"):
            until(never, within=0)

    def test_any_other_exception_is_not_waited_for(self) -> None:
        with pytest.raises(ZeroDivisionError):
            until(lambda: 1 // 0)
