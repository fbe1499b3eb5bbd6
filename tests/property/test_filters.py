"""Filter lines: any text is read or refused with its place, and what was read reads back."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskito import Queue
from taskito.bulk import Bulk
from taskito.filters import FIELDS, STATES, Filter, FilterError, Term

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
NAMES = st.text("abcxyz_019.-", min_size=1, max_size=8)
DURATIONS = st.tuples(st.integers(0, 9999), st.sampled_from(["", "ms", "s", "m", "h", "d"])).map(
    lambda found: f"{found[0]}{found[1]}"
)
WORDS = [
    field
    for field in FIELDS
    if field not in {"state", "id", "fp", "args.", "age", "run", "created"}
]


def terms() -> st.SearchStrategy[Term]:
    values = st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
    colon = st.just(":")
    return st.one_of(
        st.builds(
            Term, field=st.just(""), sign=colon, values=st.tuples(TEXTS), denied=st.booleans()
        ),
        st.builds(
            Term,
            field=st.just("state"),
            sign=colon,
            values=st.lists(st.sampled_from(STATES), min_size=1).map(tuple),
            denied=st.booleans(),
        ),
        st.builds(
            Term,
            field=st.one_of(st.sampled_from(WORDS), NAMES.map("args.{}".format)),
            sign=colon,
            values=values,
            denied=st.booleans(),
        ),
        st.builds(
            Term,
            field=st.just("fp"),
            sign=colon,
            values=st.lists(st.text("0123456789abcdef", min_size=1, max_size=16)).map(
                lambda found: tuple(found) or ("7",)
            ),
            denied=st.booleans(),
        ),
        st.builds(
            Term,
            field=st.sampled_from(["age", "run"]),
            sign=st.sampled_from(["<", ">"]),
            values=st.tuples(DURATIONS),
            denied=st.booleans(),
        ),
    )


@given(st.lists(terms(), max_size=6).map(tuple))
def test_what_is_written_reads_back(given_terms: tuple[Term, ...]) -> None:
    found = Filter(given_terms)
    assert Filter.parse(str(found)) == found
    assert Filter.parse(f"  {found}\n") == found


SHOWN = st.one_of(
    st.integers(-(10**12), 10**12),
    st.booleans(),
    st.none(),
    # Without what the text of a string in Python is not the same for.
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"*\\')),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(SHOWN, SHOWN), min_size=1, max_size=8), st.data())
def test_arguments_are_found_by_what_is_shown_of_them(
    calls: list[tuple[object, object]], data: st.DataObject
) -> None:
    with Queue(":memory:") as queue:
        jobs = {
            queue.enqueue("send", (first,), {"other": 1, "name": second}).id: (first, second)
            for first, second in calls
        }
        wanted = data.draw(st.sampled_from(calls))
        for field, place in (("args.0", 0), ("args.name", 1)):
            value = str(wanted[place])
            if value:
                found = Bulk(queue).search(Filter().with_term(field, value))
                expected = {job for job, call in jobs.items() if str(call[place]) == value}
                assert {job.id for job in found} == expected


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_its_place(line: str) -> None:
    with suppress(FilterError):
        found = Filter.parse(line)
        assert Filter.parse(str(found)) == found
        assert found.in_words()
        assert len(found.compiled()) == len(found.terms)
        return
    with pytest.raises(FilterError) as caught:
        Filter.parse(line)
    assert 0 <= caught.value.position <= len(line)
    assert caught.value.hint
