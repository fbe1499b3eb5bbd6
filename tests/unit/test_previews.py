"""Arguments and results as people read them."""

import dataclasses
import datetime as dt
import enum
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskito import Queue, chain, group
from taskito._groups import Groups
from taskito._previews import Previews
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


def stored(queue: Queue, job_id: str) -> str | None:
    with queue._database as store:
        row = store.job(job_id)
    assert row is not None
    return row.preview


def shown(*args: object, **kwargs: object) -> str | None:
    return Previews((), {}).arguments("t", args, kwargs)


class Colour(enum.Enum):
    RED = 1


class Account(NamedTuple):
    name: str
    password: str


@dataclasses.dataclass
class Login:
    user: str
    api_key: str


class TestText:
    @pytest.mark.parametrize(
        ("args", "kwargs", "text"),
        [
            ((), {}, ""),
            ((1, None, 2.5, True), {}, "1, None, 2.5, True"),
            (("it's",), {"template": "welcome"}, "\"it's\", template='welcome'"),
            (([1, (2,), {"a": {3}}],), {}, "[1, (2,), {'a': {3}}]"),
            ((b"abc", Colour.RED), {}, "b'abc', Colour.RED"),
            ((dt.date(2026, 1, 2),), {}, "datetime.date(2026, 1, 2)"),
            ((object(), print), {}, "<object>, <builtin_function_or_method>"),
            ((Login("ann", "k"),), {}, "Login(user='ann', api_key=***)"),
            ((Account("ann", "p"),), {}, "Account(name='ann', password=***)"),
        ],
    )
    def test_it_reads_like_the_call(
        self, args: tuple[object, ...], kwargs: dict[str, object], text: str
    ) -> None:
        assert shown(*args, **kwargs) == text

    @given(st.lists(st.one_of(st.text(), st.binary(), st.integers(), st.floats())), st.text())
    def test_it_is_short_and_can_be_stored(self, values: list[object], name: str) -> None:
        text = shown(values, *values, **{name: values})
        assert text is not None
        assert len(text.encode()) <= 1000

    def test_what_is_deep_or_endless_ends(self) -> None:
        endless: list[Any] = []
        endless.append(endless)
        assert shown(endless) == "[[[[[…]]]]]"

    def test_large_values_are_not_read_whole(self) -> None:
        text = shown("x" * 10**7, b"y" * 10**7, list(range(10**6)))
        assert text is not None
        assert text.endswith("…")

    def test_an_object_that_misbehaves_costs_the_preview_and_nothing_else(self) -> None:
        @dataclasses.dataclass
        class Broken:
            value: int

            def __getattribute__(self, name: str) -> Any:
                raise RuntimeError(name)

        assert shown(Broken(1)) is None
        assert shown(10**5000) is None


class TestSecrets:
    @pytest.mark.parametrize(
        "name",
        ["password", "PASSWORD", "user_password", "apiKey", "apikey", "X-Api-Key", "tokens"],
    )
    def test_a_name_hides_its_value_wherever_it_stands(self, name: str) -> None:
        hidden = f"{name}=***" if name.isidentifier() else None
        text = shown([{name: "hunter2", "deep": [{name: {"a": "hunter2"}}]}], **{name: "hunter2"})
        assert text is not None
        assert "hunter2" not in text
        assert text.count("***") == 3
        assert hidden is None or hidden in text

    @pytest.mark.parametrize("name", ["tokenizer", "secretary", "passenger", "key", "api"])
    def test_other_names_hide_nothing(self, name: str) -> None:
        assert shown(**{name: 1}) == f"{name}=1"

    def test_a_positional_argument_has_the_name_of_its_parameter(self, queue: Queue) -> None:
        @queue.task
        def login(user: str, password: str) -> None:
            """Never run."""

        assert stored(queue, login.delay("ann", "hunter2").id) == "'ann', ***"
        assert stored(queue, login.delay("ann", password="hunter2").id) == "'ann', password=***"
        many = login.map([("a", "hunter2"), ("b", "hunter2")])
        assert [stored(queue, job.id) for job in many] == ["'a', ***", "'b', ***"]

    def test_a_queue_hides_names_and_texts_of_its_own(self, tmp_path: Any) -> None:
        def mask(text: str) -> str:
            return text.replace("4111", "####")

        with Queue(tmp_path / "own.db", redact=["iban", mask]) as queue:
            job = queue.enqueue("pay", ("4111 1111",), {"iban": "DE1", "password": "p"})
            assert stored(queue, job.id) == "'#### 1111', iban=***, password=***"

    def test_where_a_function_raises_nothing_is_stored(self, tmp_path: Any) -> None:
        with Queue(tmp_path / "own.db", redact=[lambda text: text[99]]) as queue:
            assert stored(queue, queue.enqueue("pay", (1,)).id) is None

    def test_there_may_be_none_at_all(self, tmp_path: Any) -> None:
        with Queue(tmp_path / "own.db", previews=False) as queue:
            assert stored(queue, queue.enqueue("pay", (1,)).id) is None

    @pytest.mark.parametrize("redact", ["password", [7], 7])
    def test_what_cannot_hide_is_refused(self, redact: Any) -> None:
        with pytest.raises(TypeError, match="redact must"):
            Queue(redact=redact)

    def test_a_name_without_letters_is_refused(self) -> None:
        with pytest.raises(ValueError, match="redact has a name without a letter: '_'"):
            Queue(redact=["_"])


class TestWhereTheyAre:
    def test_results_have_one_unless_they_are_none(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        give = queue.task(name="give")(lambda value: value)
        jobs = give.map([({"token": "hunter2", "n": 1},), (None,), ("x" * 5000,)])
        worker.run()

        groups = Groups(queue._database)
        first, second, third = (groups.result_preview(job.id) for job in jobs)
        assert first == "{'token': ***, 'n': 1}"
        assert second is None
        assert third is not None
        assert len(third) < 300

    def test_a_step_of_a_canvas_shows_that_a_result_goes_in_front(self, queue: Queue) -> None:
        add = queue.task(name="add")(lambda x, y: x + y)
        last = chain(group(add.s(1, 2), add.s(3, 4)), add.s(5)).apply()
        assert stored(queue, last.id) == "…, 5"

    def test_copies_of_a_job_have_its_preview(self, queue: Queue, worker: ManualWorker) -> None:
        @queue.task(max_retries=0)
        def fail(number: int) -> None:
            raise ValueError(number)

        job = fail.delay(7)
        worker.run()
        replay = queue.replay(job.id)
        [again] = queue.retry_all_dead()
        assert [stored(queue, copy) for copy in (replay.id, again)] == ["7", "7"]

    def test_jobs_of_schedules_have_one(self, queue: Queue) -> None:
        @queue.periodic("0 3 * * *", name="nightly", args=(7,), kwargs={"token": "t"})
        def nightly(number: int, *, token: str) -> None:
            """Never run."""

        with queue._stepping():
            job = queue.trigger_periodic("nightly")
        assert stored(queue, job.id) == "7, token=***"
