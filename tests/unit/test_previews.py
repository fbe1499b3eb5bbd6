"""Arguments and results as people read them."""

import dataclasses
import datetime as dt
import enum
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
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


def functions_in(work: Callable[[], object]) -> list[str]:
    """Names of the functions, but for those written in C, that some work goes through."""
    names: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            names.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return names


patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SHORT = st.one_of(
    st.integers(),
    st.text(),
    st.booleans(),
    st.none(),
    st.floats(),
    st.sampled_from(["'", '"', "%r"]),
)
ANY = st.one_of(
    SHORT,
    st.text(min_size=190, max_size=260),
    st.integers(min_value=10**190, max_value=10**260),
    st.just(2**20_000),
    st.binary(),
    st.lists(SHORT, max_size=2),
    st.just({"token": 1, "n": 2}),
    st.sampled_from([Colour.RED, Account("ann", "p"), Login("ann", "k")]),
)
NAMES = st.one_of(
    st.text(),
    st.sampled_from(["template", "n", "password", "apiKeys", "100%", "%s", "größe", "\ud800"]),
)


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

    @patient
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


class TestTheShortWay:
    """What most jobs have takes a short way. A function that hides nothing closes it."""

    @patient
    @given(
        args=st.lists(ANY, max_size=3),
        kwargs=st.dictionaries(NAMES, ANY, max_size=3),
        size=st.integers(min_value=0, max_value=500),
        takes_results=st.booleans(),
    )
    @example(args=["x" * 220], kwargs={}, size=0, takes_results=False)
    @example(args=["x" * 220, 1], kwargs={}, size=0, takes_results=False)
    @example(args=[1], kwargs={"100%": 1}, size=0, takes_results=False)
    @example(args=[1], kwargs={"%s": "x" * 220}, size=0, takes_results=False)
    @example(args=[1], kwargs={"\ud800": 1}, size=0, takes_results=False)
    @example(args=[1], kwargs={"n": 1, "password": 2}, size=0, takes_results=False)
    @example(args=[1], kwargs={"n": {"token": 2}}, size=0, takes_results=False)
    @example(args=[{"token": 2}], kwargs={}, size=0, takes_results=False)
    @example(args=[1, {"token": 2}], kwargs={}, size=0, takes_results=False)
    @example(args=[1, 2], kwargs={}, size=0, takes_results=True)
    def test_arguments_read_the_same(
        self, *, args: list[object], kwargs: dict[str, object], size: int, takes_results: bool
    ) -> None:
        short, long = Previews((), {}), Previews([lambda text: text], {})
        expected = long.arguments("t", tuple(args), kwargs, size, takes_results=takes_results)
        for _ in range(3):  # the first call looks at the names, later ones know them
            text = short.arguments("t", tuple(args), kwargs, size, takes_results=takes_results)
            assert text == expected

    @patient
    @given(st.lists(SHORT, max_size=3), st.dictionaries(NAMES, SHORT, max_size=3), st.data())
    def test_what_other_calls_showed_opens_nothing(
        self, args: list[object], kwargs: dict[str, object], data: st.DataObject
    ) -> None:
        """Calls of the same task and of the same names went before, with other values."""
        short, long = Previews((), {}), Previews([lambda text: text], {})
        for name in kwargs:
            short.arguments("t", (), {name: 1}, 0)
            short.arguments("t", tuple(args), {name: 1}, 0)
        values = data.draw(st.lists(ANY, min_size=len(kwargs), max_size=len(kwargs)))
        others = dict(zip(kwargs, values, strict=True))
        short.arguments("t", tuple(args), kwargs, 0)
        text = short.arguments("t", tuple(args), others, 0)
        assert text == long.arguments("t", tuple(args), others, 0)

    @patient
    @given(ANY)
    @example("x" * 201)
    @example("\0" * 100)
    @example(10**260)
    def test_results_read_the_same(self, value: object) -> None:
        assert Previews((), {}).result(value) == Previews([lambda text: text], {}).result(value)

    @pytest.mark.parametrize(
        ("args", "kwargs"),
        [
            ((12345,), {}),
            (("ann", None, 2.5), {}),
            ((12345,), {"template": "welcome"}),
            ((), {"to": "ann", "count": 2}),
        ],
    )
    def test_most_calls_take_it(self, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        previews = Previews((), {})

        def write() -> None:
            previews.arguments("t", args, kwargs, 60)

        assert len(functions_in(write)) > 2
        assert functions_in(write) == ["write", "arguments"]

    @pytest.mark.parametrize("value", [None, True, 12345, "sent"])
    def test_most_results_take_it(self, value: object) -> None:
        previews = Previews((), {})

        def write() -> None:
            previews.result(value)

        assert functions_in(write) == ["write", "result"]

    def test_a_number_that_has_no_text_costs_the_preview_however_small_its_bytes(self) -> None:
        """With a serializer that compresses, such a number made the call fail."""
        previews = Previews((), {})
        assert previews.arguments("t", (1,), {}, 10) == "1"
        assert previews.arguments("t", (2**20_000,), {}, 10) is None

    def test_a_task_that_is_registered_again_is_looked_at_anew(self, queue: Queue) -> None:
        def before(user: str, other: str) -> None:
            """Never run."""

        def after(user: str, password: str) -> None:
            """Never run."""

        task = queue.task(name="login")(before)
        assert [stored(queue, task.delay("a", "b").id) for _ in range(2)] == ["'a', 'b'"] * 2
        again = queue.task(name="login")(after)
        assert [stored(queue, again.delay("a", "b").id) for _ in range(2)] == ["'a', ***"] * 2

    def test_nothing_opens_while_a_task_is_registered_again(self, queue: Queue) -> None:
        open_task = queue.task(name="open")(lambda user: user)
        secret_task = queue.task(name="secret")(lambda password: password)

        class Tasks(dict[str, Any]):
            """Somebody registers another function right after the first look."""

            def get(self, key: str, default: Any = None) -> Any:
                found = super().get(key, default)
                self[key] = secret_task
                return found

        previews = Previews((), Tasks(t=open_task))
        previews.arguments("t", ("hunter2",), {}, 10)
        assert previews.arguments("t", ("hunter2",), {}, 10) == "***"


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
