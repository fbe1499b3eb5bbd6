"""From a signature to a form, and from what was written in it to a call."""

import functools
import math
import re
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any, Literal

import pytest

from taskito_dashboard.forms import Field, call_of, fields_of, filled


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


def everything(  # type: ignore[no-untyped-def] # noqa: PLR0913 - one of each
    count: int,
    share: float,
    is_urgent: bool,  # noqa: FBT001
    name: str,
    colour: Colour,
    size: Literal["s", "m", 3],
    parts: list[int],
    anything,  # pyright: ignore[reportMissingParameterType, reportUnknownParameterType] # noqa: ANN001
) -> None:
    raise NotImplementedError


def usual(  # noqa: PLR0913 - one of each
    count: int = 3,
    is_urgent: bool = False,  # noqa: FBT001, FBT002
    name: str = "ann",
    nick: str | None = None,
    most: int | None = 5,
    parts: tuple[int, ...] = (1, 2),
    colour: Colour | None = Colour.RED,
) -> None:
    raise NotImplementedError


def none_hidden(_name: str, _value: object) -> bool:
    return False


def write(function: Callable[..., Any], **texts: str) -> list[Field]:
    """What a form sends back: what stood in its fields, and some of it written anew."""
    return [
        field.typed(
            texts.get(field.name, field.written),
            empty_is_none=field.is_none,
            must_be_written=field.must_be_written,
        )
        for field in fields_of(function)
    ]


def called(function: Callable[..., Any], **texts: str) -> tuple[list[Any], dict[str, Any]]:
    args, kwargs, fields = call_of(write(function, **texts))
    assert [field.error for field in fields] == [""] * len(fields)
    return args, kwargs


def errors(function: Callable[..., Any], **texts: str) -> dict[str, str]:
    args, kwargs, fields = call_of(write(function, **texts))
    assert (args, kwargs) == ([], {})
    return {field.name: field.error for field in fields if field.error}


class TestFields:
    def test_each_type_has_its_kind(self) -> None:
        kinds = {field.name: field.kind for field in fields_of(everything)}
        assert kinds == {
            "count": "whole",
            "share": "number",
            "is_urgent": "choice",
            "name": "text",
            "colour": "choice",
            "size": "choice",
            "parts": "json",
            "anything": "json",
        }

    def test_types_are_told_as_the_code_has_them(self) -> None:
        types = {field.name: field.type for field in fields_of(everything)}
        assert types["parts"] == "list[int]"
        assert types["colour"] == "Colour"
        assert types["anything"] == ""

    def test_names_that_are_unknown_leave_json(self) -> None:
        def odd(value: "Nowhere") -> None:  # type: ignore[name-defined] # noqa: F821
            raise NotImplementedError

        (field,) = fields_of(odd)
        assert (field.kind, field.type) == ("json", "Nowhere")

    def test_defaults_stand_in_them_if_they_can(self) -> None:
        shown = {field.name: (field.written, field.default_text) for field in fields_of(usual)}
        assert shown["count"] == ("3", "3")
        assert shown["name"] == ("ann", "'ann'")
        assert shown["parts"] == ("", "(1, 2)")
        assert shown["colour"][0] == "RED"

    def test_what_a_decorator_hands_in_is_no_argument(self) -> None:
        def with_session(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def inner(*args: Any, **kwargs: Any) -> Any:
                return function("session", *args, **kwargs)

            return inner

        @with_session
        def store(session: str, row: int) -> None:
            raise NotImplementedError

        assert [field.name for field in fields_of(store)] == ["args", "kwargs"]
        assert called(store, args="[7]", kwargs='{"a": null}') == ([7], {"a": None})

    def test_one_without_a_signature_takes_anything(self) -> None:
        assert [field.name for field in fields_of(max)] == ["args", "kwargs"]


class TestCall:
    def test_texts_become_values(self) -> None:
        args, kwargs = called(
            everything,
            count=" -12 ",
            share="0.5",
            is_urgent="True",
            name="",
            colour="BLUE",
            size="3",
            parts="[1, 2]",
            anything='{"a": "é"}',
        )
        assert args == []
        assert kwargs == {
            "count": -12,
            "share": 0.5,
            "is_urgent": True,
            "name": "",
            "colour": Colour.BLUE,
            "size": 3,
            "parts": [1, 2],
            "anything": {"a": "é"},
        }

    def test_defaults_that_nobody_touched_are_left_out(self) -> None:
        assert called(usual) == ([], {})
        assert called(usual, count="4", name="")[1] == {"count": 4, "name": ""}

    def test_an_empty_field_is_none_where_that_is_a_value(self) -> None:
        assert called(usual, most="", colour="None")[1] == {"most": None, "colour": None}
        field = fields_of(usual)[3]
        typed = field.typed("", empty_is_none=False, must_be_written=False)
        assert (field.is_none, typed.value()) == (True, "")

    def test_line_breaks_are_those_of_python(self) -> None:
        assert called(usual, name="a\r\nb")[1] == {"name": "a\nb"}

    @pytest.mark.parametrize(
        ("name", "text", "error"),
        [
            ("count", "1.5", "is '1.5'\nwrite a whole number"),
            ("count", "1_000", "is '1_000'\nwrite a whole number"),
            ("count", "", "is empty\nwrite a value: the function has no default for it"),
            ("share", "inf", "is 'inf'\nwrite a number like 0.5"),
            ("is_urgent", "yes", "is 'yes'\nchoose one of True, False"),
            ("size", "xl", "is 'xl'\nchoose one of 's', 'm', 3"),
            ("parts", "[1", "is no JSON: Expecting ',' delimiter: line 1 column 3 (char 2)"),
            ("anything", "NaN", "is no JSON: NaN is no value of it"),
            ("anything", "[" * 100_000, "is no JSON: "),
        ],
    )
    def test_what_is_wrong_is_said_with_the_value(self, name: str, text: str, error: str) -> None:
        right = "count=1 share=1 is_urgent=True name=a colour=RED size='s' parts=[] anything=0"
        texts = dict(re.findall("(\\S+)=(\\S+)", right))
        found = errors(everything, **texts | {name: text})
        assert found.keys() == {name}
        assert found[name].startswith(error)

    def test_more_arguments_come_as_json(self) -> None:
        def many(first: int, second: int = 2, /, third: int = 3, *rest: int, **more: int) -> None:
            raise NotImplementedError

        assert called(many, first="1") == ([1, 2], {})
        assert called(many, first="1", third="9", more='{"z": 1}') == ([1, 2], {"third": 9, "z": 1})
        assert called(many, first="1", rest="[4]") == ([1, 2, 3, 4], {})
        assert errors(many, first="1", rest="4", more="[]") == {
            "rest": "is no list\nwrite a list of values: [1, 2]",
            "more": 'is no object\nwrite names with values: {"a": 1}',
        }


class TestFilled:
    def test_a_job_comes_back_as_it_was(self) -> None:
        kwargs = {
            "share": 2.0,
            "is_urgent": False,
            "name": " two\nlines\t",
            "colour": Colour.BLUE,
            "size": 3,
            "parts": [1, None],
            "anything": {"a": [True, "\u2028"]},
        }
        fields = filled(fields_of(everything), [10**30], kwargs, none_hidden)
        assert call_of(fields)[:2] == ([], {"count": 10**30, **kwargs})

    def test_the_value_of_a_member_is_that_member(self) -> None:
        fields = filled(fields_of(usual), [], {"colour": "blue"}, none_hidden)
        assert call_of(fields)[1] == {"colour": Colour.BLUE}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("count", "x"),
            ("count", True),
            ("share", math.nan),
            ("name", "\x00"),
            ("name", "a\r\nb"),
            ("colour", "green"),
            ("parts", (1, 2)),
            ("parts", {1: 2}),
            ("anything", Colour.RED),
            ("anything", math.inf),
        ],
    )
    def test_what_cannot_be_written_exactly_must_be_written_anew(
        self, name: str, value: object
    ) -> None:
        fields = filled(fields_of(everything), [], {name: value}, none_hidden)
        (field,) = [field for field in fields if field.name == name]
        assert (field.written, field.must_be_written) == ("", True)
        assert field.note == f"the job had {value!r}, which cannot be written here exactly"
        with pytest.raises(ValueError, match=r"is empty\nwrite a value: that of the job is not"):
            field.value()

    def test_a_secret_is_not_shown(self) -> None:
        fields = filled(fields_of(usual), [], {"name": "s3cret"}, lambda name, _: name == "name")
        (field,) = [field for field in fields if field.must_be_written]
        assert (field.written, field.note) == ("", "the value is hidden")
        assert "s3cret" not in repr(fields)

    def test_arguments_that_do_not_fit_any_more_are_passed_over(self) -> None:
        def one(name: str) -> None:
            raise NotImplementedError

        (field,) = filled(fields_of(one), ["a", "b"], {}, none_hidden)
        assert field.note == "the arguments of the job do not fit the function any more"
        (field,) = filled(fields_of(one), ["a"], {"gone": 1}, none_hidden)
        assert replace(field, note="").written == "a"
