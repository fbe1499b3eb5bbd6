"""Bytes and values."""

import collections
import dataclasses
import datetime as dt
import enum
import functools
import hashlib
import hmac
import math
import pickle
import reprlib
import sys
import threading
import uuid
from typing import Any

import cloudpickle
import pytest

from taskito import (
    CloudpickleSerializer,
    JsonSerializer,
    OrjsonSerializer,
    Queue,
    Serializer,
    SignatureError,
    SignedSerializer,
    TaskFailedError,
)
from tests.support.working import working

NESTED: list[Any] = functools.reduce(lambda v, _: [v, {"k": v}, (1,)], range(50), [])
CYCLE: list[Any] = []
CYCLE.append(CYCLE)

PLAIN = [
    None,
    True,
    -1,
    2**200,
    1.5,
    math.inf,
    "",
    "ü\U0001f600",
    "\ud800",
    b"\0\xff",
    bytearray(b"ab"),
    (),
    [1, "a", None],
    {"a": {1: 2}},
    {1, 2},
    frozenset({"x"}),
    ((1, "abc"), {"k": [1.0, b"x"]}),
    ["same"] * 3,
    "x" * 100_000,
    list(range(2000)),
    NESTED,
]
OTHER = [
    1j,
    range(3),
    slice(1),
    ...,
    int,
    len,
    dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    collections.OrderedDict(a=1),
    collections.Counter("aab"),
    ValueError("x"),
]


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and other.x == self.x

    def __hash__(self) -> int:
        return hash(self.x)


class Text(str):
    __slots__ = ()


class TestCloudpickle:
    @pytest.mark.parametrize("value", PLAIN, ids=reprlib.repr)
    def test_plain_values_take_the_bytes_that_cloudpickle_writes(self, value: object) -> None:
        assert CloudpickleSerializer().dumps(value) == cloudpickle.dumps(value)

    def test_a_value_that_holds_itself_comes_back(self) -> None:
        serializer = CloudpickleSerializer()
        assert serializer.dumps(CYCLE) == cloudpickle.dumps(CYCLE)
        copy = serializer.loads(serializer.dumps(CYCLE))
        assert copy[0] is copy

    @pytest.mark.parametrize("value", OTHER, ids=reprlib.repr)
    def test_other_values_take_cloudpickle(self, value: object) -> None:
        serializer = CloudpickleSerializer()
        wrapped = ((value,), {"k": [value]})
        assert serializer.dumps(wrapped) == cloudpickle.dumps(wrapped)
        assert repr(serializer.loads(serializer.dumps(wrapped))) == repr(wrapped)

    def test_subclasses_of_plain_types_keep_their_class(self) -> None:
        serializer = CloudpickleSerializer()
        assert type(serializer.loads(serializer.dumps([Text("a")]))[0]) is Text

    def test_functions_without_a_module_travel_by_value(self) -> None:
        serializer = CloudpickleSerializer()
        factor = 3
        (function,) = serializer.loads(serializer.dumps([lambda x: factor * x]))
        assert function(2) == 6

    def test_classes_of_the_program_itself_travel_by_value(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        main = sys.modules["__main__"]
        local = type("Local", (), {"__module__": "__main__", "answer": 42})
        with monkeypatch.context() as patch:
            patch.setattr(main, "Local", local, raising=False)
            data = CloudpickleSerializer().dumps([local()])
        assert CloudpickleSerializer().loads(data)[0].answer == 42

    def test_instances_come_back_equal(self) -> None:
        serializer = CloudpickleSerializer()
        assert serializer.loads(serializer.dumps({"p": Point(1)})) == {"p": Point(1)}

    def test_a_refused_value_leaves_nothing_behind_for_the_next(self) -> None:
        serializer = CloudpickleSerializer()
        shared = ["shared"]
        serializer.dumps((shared, shared))
        serializer.dumps((shared, Point(1)))
        with pytest.raises(TypeError):
            serializer.dumps((shared, threading.Lock()))
        assert serializer.dumps((shared, shared)) == cloudpickle.dumps((shared, shared))

    def test_the_error_of_a_refused_value_tells_of_no_other_attempt(self) -> None:
        with pytest.raises(TypeError, match=r"cannot pickle '_thread\.lock'") as caught:
            CloudpickleSerializer().dumps(threading.Lock())

        assert caught.value.__context__ is None

    def test_no_value_is_kept_alive(self) -> None:
        serializer = CloudpickleSerializer()
        serializer.dumps([{"a": 1}])
        before = [pickler.memo.copy() for pickler in serializer._idle]
        assert before == [{}]

    def test_threads_do_not_mix_their_bytes(self) -> None:
        serializer = CloudpickleSerializer()
        wrong: list[object] = []

        def dump(number: int) -> None:
            value = [number] * 50 + ["x" * number]
            expected = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
            wrong.extend(value for _ in range(300) if serializer.dumps(value) != expected)

        threads = [threading.Thread(target=dump, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


class TestJson:
    def test_writes_compact_utf8(self) -> None:
        assert JsonSerializer().dumps({"a": ["ü", None]}) == '{"a":["ü",null]}'.encode()

    def test_tuples_come_back_as_lists(self) -> None:
        serializer = JsonSerializer()
        assert serializer.loads(serializer.dumps(((1, 2), {}))) == [[1, 2], {}]

    @pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", {1, 2}])
    def test_refuses_what_json_cannot_say(self, value: object) -> None:
        with pytest.raises((ValueError, TypeError)):
            JsonSerializer().dumps(value)


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Record:
    x: int


class TestOrjson:
    def test_writes_compact_utf8(self) -> None:
        assert OrjsonSerializer().dumps({"a": ["ü", 1]}) == '{"a":["ü",1]}'.encode()

    @pytest.mark.parametrize(
        "value", [math.nan, [None, -math.inf], "\ud800", {1, 2}, dt.date(2026, 1, 2), Record(1)]
    )
    def test_refuses_what_json_cannot_say(self, value: object) -> None:
        for wrapped in (value, [value], {"value": value, "nothing": None}):
            with pytest.raises((ValueError, TypeError)):
                OrjsonSerializer().dumps(wrapped)

    @pytest.mark.parametrize("beside", [0, None, 2**64])
    def test_uuids_and_enums_are_text_and_value_whatever_is_beside_them(
        self, beside: int | None
    ) -> None:
        value = [uuid.UUID(int=1), Colour.RED, beside]
        expected = ["00000000-0000-0000-0000-000000000001", "red", beside]
        assert JsonSerializer().loads(OrjsonSerializer().dumps(value)) == expected

    def test_without_its_extra_it_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "orjson", None)
        with pytest.raises(ImportError, match=r"hint: pip install 'taskito\[orjson\]'"):
            OrjsonSerializer()


class TestSigned:
    def test_the_signature_is_an_hmac_before_the_payload(self) -> None:
        data = SignedSerializer(JsonSerializer(), "sixteen bytes ok").dumps({"a": 1})
        payload = b'{"a":1}'
        assert data == hmac.new(b"sixteen bytes ok", payload, hashlib.sha256).digest() + payload

    def test_a_replaced_key_still_verifies_and_no_longer_signs(self) -> None:
        old, new = b"o" * 16, b"n" * 16
        before = SignedSerializer(JsonSerializer(), old)
        between = SignedSerializer(JsonSerializer(), new, previous_keys=[old])
        after = SignedSerializer(JsonSerializer(), new)
        stored = before.dumps("old")
        assert between.loads(stored) == "old"
        assert after.loads(between.dumps("new")) == "new"
        with pytest.raises(SignatureError, match=r"37 stored bytes .* none of 1 keys\nhint: "):
            after.loads(stored)

    @pytest.mark.parametrize("key", [b"", b"x" * 15, "y" * 15, "ü" * 7])
    def test_a_short_key_is_refused_without_showing_it(self, key: bytes | str) -> None:
        for name, keys in (("key", (key, ())), ("a previous key", (b"k" * 16, [key]))):
            with pytest.raises(ValueError, match=rf"{name} must have at least 16 bytes") as caught:
                SignedSerializer(JsonSerializer(), keys[0], previous_keys=keys[1])
            assert not key or str(key) not in str(caught.value)

    def test_the_length_of_a_key_counts_in_bytes(self) -> None:
        serializer = SignedSerializer(JsonSerializer(), "ü" * 8)
        assert serializer.loads(serializer.dumps(1)) == 1

    @pytest.mark.parametrize(
        ("inner", "key", "previous", "message"),
        [
            (object(), b"k" * 16, (), "inner must have dumps and loads"),
            (JsonSerializer(), 16, (), "key must be bytes or str, got int"),
            (JsonSerializer(), b"k" * 16, (None,), "a previous key must be bytes or str"),
            (JsonSerializer(), b"k" * 16, "o" * 16, r"sequence of keys, got str\nhint: write"),
            (JsonSerializer(), b"k" * 16, b"o" * 16, "sequence of keys, got bytes"),
        ],
    )
    def test_wrong_types_are_refused(
        self, inner: Any, key: Any, previous: Any, message: str
    ) -> None:
        with pytest.raises(TypeError, match=message):
            SignedSerializer(inner, key, previous_keys=previous)

    def test_nothing_shows_the_key(self) -> None:
        serializer = SignedSerializer(JsonSerializer(), "a very secret key")
        assert "secret" not in repr(serializer)
        assert not hasattr(serializer, "__dict__")

    def test_a_worker_refuses_arguments_of_another_key_and_retry_filters_know_it(
        self, queue: Queue
    ) -> None:
        """The task is not called; dont_retry_on=SignatureError ends the job at once."""
        calls: list[object] = []
        with Queue(
            queue.db_path, serializer=SignedSerializer(CloudpickleSerializer(), b"k" * 16)
        ) as signed:
            signed.task(name="t", dont_retry_on=[SignatureError])(calls.append)
            job = queue.enqueue("t", ["forged"])
            with (
                working(signed),
                pytest.raises(TaskFailedError, match=r"SignatureError: the signature of") as error,
            ):
                job.result()
        assert calls == []
        assert error.value.attempts == 1
        assert error.value.exception_type == "taskito.exceptions.SignatureError"
        assert "the arguments of 't' cannot be decoded" in error.value.error

    def test_a_result_of_another_key_is_a_signature_error(self, queue: Queue) -> None:
        queue.task(name="t")(lambda: 1)
        job = queue.enqueue("t")
        with working(queue):
            job.wait()
        signed = SignedSerializer(CloudpickleSerializer(), b"k" * 16)
        with Queue(queue.db_path, serializer=signed) as other:
            same = other.get_job(job.id)
            assert same is not None
            with pytest.raises(SignatureError) as caught:
                same.result()
        assert caught.value.__notes__ == [f"while decoding the result of job {job.id}"]


class TestProtocol:
    def test_ours_and_any_object_with_both_methods_are_serializers(self) -> None:
        class Own:
            def dumps(self, obj: Any) -> bytes:
                return repr(obj).encode()

            def loads(self, data: bytes) -> Any:
                return data

        assert all(
            isinstance(s, Serializer)
            for s in (
                CloudpickleSerializer(),
                JsonSerializer(),
                OrjsonSerializer(),
                SignedSerializer(Own(), b"k" * 16),
                Own(),
            )
        )
        assert not isinstance(pickle.Pickler, Serializer)
