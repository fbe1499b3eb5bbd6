"""What holds for every value and every stored byte."""

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskito import (
    CloudpickleSerializer,
    JsonSerializer,
    OrjsonSerializer,
    Serializer,
    SignatureError,
    SignedSerializer,
)

JSON = JsonSerializer()
ORJSON = OrjsonSerializer()
KEY = b"k" * 32

scalars = st.none() | st.booleans() | st.integers() | st.text()
finite = scalars | st.floats(allow_nan=False, allow_infinity=False)
odd_text = st.text(st.characters(exclude_categories=[]), max_size=5)


def nested(leaves: st.SearchStrategy[Any], keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
    )


json_values = nested(finite, st.text())
pickled = nested(finite | st.binary() | st.floats() | st.tuples(st.integers()), st.integers())
anything = nested(
    scalars | st.floats() | odd_text | st.binary() | st.dates() | st.tuples(st.floats()),
    odd_text | st.integers() | st.floats() | st.none() | st.dates(),
)
numbers = ["0", "-0", "1.5", "1e999", "9" * 18, "9" * 19, "-" + "9" * 30, "0." + "1" * 25]
words = ['"a"', '"\\ud800"', "null", "NaN", "-Infinity", "[]", " ", "\ufeff", *numbers]
documents = (
    st.lists(st.sampled_from(words), max_size=3).map(lambda parts: f"[{','.join(parts)}]")
    | st.lists(st.tuples(st.sampled_from(words), st.sampled_from(words)), max_size=3).map(
        lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"
    )
    | st.lists(st.sampled_from([*words, *'[]{},:"']), max_size=5).map("".join)
)


def outcome(call: Any, value: object) -> str:
    """What a call returns, told apart by type as well: 1, 1.0, True, -0.0; or that it refuses."""
    try:
        return repr(call(value))
    except (TypeError, ValueError):
        return "refused"


class TestBothKindsOfJson:
    @given(json_values)
    @pytest.mark.parametrize("reader", [JSON, ORJSON])
    @pytest.mark.parametrize("writer", [JSON, ORJSON])
    def test_each_reads_what_the_other_wrote(
        self, writer: Serializer, reader: Serializer, value: object
    ) -> None:
        assert repr(reader.loads(writer.dumps(value))) == repr(value)

    @given(anything)
    @example({"nothing": None, "not a number": math.nan})
    @example({1: "same", "1": "name"})
    def test_they_refuse_the_same_values_and_mean_the_same_by_the_others(
        self, value: object
    ) -> None:
        assert outcome(lambda v: JSON.loads(ORJSON.dumps(v)), value) == outcome(
            lambda v: JSON.loads(JSON.dumps(v)), value
        )

    @given(documents.map(str.encode) | st.binary())
    def test_they_read_the_same_documents(self, data: bytes) -> None:
        assert outcome(ORJSON.loads, data) == outcome(JSON.loads, data)


class Recording:
    """Remembers every payload it was asked to load."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def dumps(self, obj: Any, /) -> bytes:
        return CloudpickleSerializer().dumps(obj)

    def loads(self, data: bytes, /) -> Any:
        self.seen.append(data)
        return CloudpickleSerializer().loads(data)


class TestSigned:
    @given(pickled)
    @pytest.mark.parametrize("key", [KEY, "a key of text: grüße"])
    def test_values_come_back(self, key: bytes | str, value: object) -> None:
        serializer = SignedSerializer(CloudpickleSerializer(), key)
        assert repr(serializer.loads(serializer.dumps(value))) == repr(value)

    @given(st.data(), json_values)
    def test_one_changed_byte_is_refused_unread(self, data: st.DataObject, value: object) -> None:
        inner = Recording()
        serializer = SignedSerializer(inner, KEY, previous_keys=[b"o" * 16])
        stored = bytearray(serializer.dumps(value))
        at = data.draw(st.integers(0, len(stored) - 1))
        stored[at] ^= data.draw(st.integers(1, 255))
        with pytest.raises(SignatureError):
            serializer.loads(bytes(stored))
        assert inner.seen == []

    @given(st.data(), json_values)
    def test_missing_and_added_bytes_are_refused_unread(
        self, data: st.DataObject, value: object
    ) -> None:
        inner = Recording()
        serializer = SignedSerializer(inner, KEY)
        stored = serializer.dumps(value)
        start = data.draw(st.integers(0, len(stored) - 1))
        stop = data.draw(st.integers(start, len(stored)))
        for changed in (stored[:start] + stored[stop + 1 :], stored + b"\0", b"\0" + stored):
            with pytest.raises(SignatureError):
                serializer.loads(changed)
        assert inner.seen == []

    @given(st.binary(max_size=200))
    def test_bytes_from_elsewhere_are_refused_unread(self, data: bytes) -> None:
        inner = Recording()
        with pytest.raises(SignatureError):
            SignedSerializer(inner, KEY).loads(data)
        assert inner.seen == []

    @given(json_values)
    def test_bytes_signed_with_another_key_are_refused_unread(self, value: object) -> None:
        inner = Recording()
        stored = SignedSerializer(inner, b"o" * 32).dumps(value)
        with pytest.raises(SignatureError):
            SignedSerializer(inner, KEY).loads(stored)
        assert inner.seen == []
