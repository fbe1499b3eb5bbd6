"""Bytes and values."""

import collections
import datetime as dt
import functools
import math
import pickle
import reprlib
import sys
import threading
from typing import Any

import cloudpickle
import pytest

from taskito import CloudpickleSerializer, JsonSerializer, Serializer

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


class TestProtocol:
    def test_ours_and_any_object_with_both_methods_are_serializers(self) -> None:
        class Own:
            def dumps(self, obj: Any) -> bytes:
                return repr(obj).encode()

            def loads(self, data: bytes) -> Any:
                return data

        assert all(
            isinstance(s, Serializer) for s in (CloudpickleSerializer(), JsonSerializer(), Own())
        )
        assert not isinstance(pickle.Pickler, Serializer)
