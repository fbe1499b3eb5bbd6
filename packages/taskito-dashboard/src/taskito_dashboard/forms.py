"""From the signature of a task to a form, and from what was written in it to a call. Pure."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Literal, cast

from taskito_dashboard.writing import Choices, Kind, cut, read, repr_of, written

LEFT_OUT: Any = inspect.Parameter.empty
"""No value: the default of the function counts."""
NONE = "None"
_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_UNKNOWN = "that of the job is not known here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One argument, and what is written in its field.

    Attributes:
        name: Of the parameter.
        place: How the function takes it.
        kind: How a value is written.
        type: The type that the code names; empty if it names none.
        default: What counts without a value; :data:`LEFT_OUT` if there is none.
        choices: What can be chosen, by how it is written.
        takes_none: Whether ``None`` is a value.
        written: What stands in the field.
        is_none: Whether an empty text means ``None``.
        note: What there is to know about it.
        must_be_written: Whether an empty field is refused, as nobody knows what stood there.
        error: What is wrong with it.
    """

    name: str
    place: Any
    kind: Kind = "json"
    type: str = ""
    default: Any = LEFT_OUT
    choices: Choices = dataclasses.field(default_factory=dict[str, Any])
    takes_none: bool = False
    written: str = ""
    is_none: bool = False
    note: str = ""
    must_be_written: bool = False
    error: str = ""

    @property
    def is_required(self) -> bool:
        """Whether there is no call without a value."""
        return self.default is LEFT_OUT and self.place not in _MANY

    @property
    def default_text(self) -> str:
        """The default as code; empty if there is none."""
        return "" if self.default is LEFT_OUT else cut(repr_of(self.default))

    def holding(self, value: object) -> "Field | None":
        """Return the field with a value in it; ``None`` if that cannot be written exactly."""
        if value is None and self.takes_none and self.kind != "json":
            return replace(self, written=NONE if self.kind == "choice" else "", is_none=True)
        text = written(self.kind, value, self.choices)
        return None if text is None else replace(self, written=text, is_none=False)

    def typed(self, text: str, *, empty_is_none: bool, must_be_written: bool) -> "Field":
        """Return the field with what somebody wrote in it.

        Args:
            text: As a form sends it.
            empty_is_none: Whether an empty text stands for ``None``, where that is a value.
            must_be_written: See the attribute.
        """
        # Forms send line breaks as mail does.
        text = text.replace("\r\n", "\n")
        is_none = not text and (self.kind != "text" or empty_is_none)
        if self.kind == "choice":
            is_none = text == NONE
        return replace(
            self,
            written=text,
            is_none=is_none and self.takes_none and self.kind != "json",
            must_be_written=must_be_written,
            note=_UNKNOWN if must_be_written else "",
        )

    def value(self) -> Any:
        """Return what is written in the field, :data:`LEFT_OUT` for nothing and for the default.

        Raises:
            ValueError: With what is wrong, and after a line break what to write.
        """
        if self.must_be_written and not self.written.strip() and not self.is_none:
            raise ValueError(f"is empty\nwrite a value: {_UNKNOWN}")
        usual = None if self.default is LEFT_OUT else self.holding(self.default)
        if usual is not None and (usual.written, usual.is_none) == (self.written, self.is_none):
            return LEFT_OUT
        if self.kind == "text":
            return None if self.takes_none and self.is_none and not self.written else self.written
        if self.written.strip():
            return self._many(read(self.kind, self.written.strip(), self.choices))
        if self.takes_none and self.kind in {"whole", "number"}:
            return None
        if self.is_required:
            raise ValueError("is empty\nwrite a value: the function has no default for it")
        return LEFT_OUT

    def _many(self, value: Any) -> Any:
        """Return a value, looked at if it stands for several."""
        if self.place is _MANY[0] and not isinstance(value, list):
            raise ValueError("is no list\nwrite a list of values: [1, 2]")
        if self.place is _MANY[1] and not isinstance(value, dict):
            raise ValueError('is no object\nwrite names with values: {"a": 1}')
        return cast("Any", value)


def fields_of(function: Callable[..., Any]) -> list[Field]:
    """Return the arguments of a function, each with its default in it.

    What a decorator hands in itself is no argument: the signature is that of the outermost
    function. One that has no signature takes anything.
    """
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):  # some C functions
        anything = ((name, place) for name, place in zip(("args", "kwargs"), _MANY, strict=True))
        return [Field(name=name, place=place) for name, place in anything]
    hints = _hints(function)
    return [
        _field(parameter, hints.get(parameter.name, parameter.annotation))
        for parameter in signature.parameters.values()
    ]


def filled(
    fields: Sequence[Field],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    is_hidden: Callable[[str, object], bool],
) -> list[Field]:
    """Return fields with the arguments of a job in them.

    What cannot be written exactly, or is hidden, is left out, with a note. Arguments that do not
    fit the function any more are passed over.

    Args:
        fields: Of the function.
        args: Of the job.
        kwargs: Of the job.
        is_hidden: Whether an argument, by its name and value, is a secret.
    """
    parameters = [inspect.Parameter(field.name, field.place) for field in fields]
    known = {field.name for field in fields if field.place not in _MANY}
    takes_any = any(field.place is inspect.Parameter.VAR_KEYWORD for field in fields)
    fitting = {name: value for name, value in kwargs.items() if takes_any or name in known}
    try:
        given = inspect.Signature(parameters).bind_partial(*args, **fitting).arguments
    except TypeError:
        return unreadable(fields, "the arguments of the job do not fit the function any more")
    return [
        _kept(field, given[field.name], is_hidden) if field.name in given else field
        for field in fields
    ]


def unreadable(fields: Sequence[Field], why: str) -> list[Field]:
    """Return fields with a note; those without a default must be written."""
    return [replace(field, note=why, must_be_written=field.is_required) for field in fields]


def _kept(field: Field, value: Any, is_hidden: Callable[[str, object], bool]) -> Field:
    """Return a field with what a job had there."""
    value = list(cast("tuple[Any, ...]", value)) if field.place is _MANY[0] else value
    if is_hidden(field.name, value):
        return replace(
            field, written="", is_none=False, must_be_written=True, note="the value is hidden"
        )
    found = field.holding(value)
    if found is not None:
        return found
    note = f"the job had {cut(repr_of(value))}, which cannot be written here exactly"
    return replace(field, written="", is_none=False, must_be_written=True, note=note)


def call_of(fields: Sequence[Field]) -> tuple[list[Any], dict[str, Any], list[Field]]:
    """Return positional arguments, the others, and the fields, each with what is wrong with it.

    Arguments go by name where they can.
    """
    values: dict[str, Any] = {}
    checked: list[Field] = []
    for field in fields:
        error = ""
        try:
            values[field.name] = field.value()
        except ValueError as wrong:
            error = str(wrong)
        checked.append(replace(field, error=error))
    if any(field.error for field in checked):
        return [], {}, checked
    more = next((values[field.name] for field in fields if field.place is _MANY[0]), LEFT_OUT)
    by_place: set[Any] = {inspect.Parameter.POSITIONAL_ONLY}
    if more is not LEFT_OUT and more:
        by_place.add(inspect.Parameter.POSITIONAL_OR_KEYWORD)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for field in fields:
        value = values[field.name]
        if field.place in _MANY:
            if value is not LEFT_OUT:
                args.extend(value if field.place is _MANY[0] else ())
                kwargs.update(value if field.place is _MANY[1] else {})
        elif field.place in by_place:
            # What stands after it needs its place.
            args.append(field.default if value is LEFT_OUT else value)
        elif value is not LEFT_OUT:
            kwargs[field.name] = value
    return args, kwargs, checked


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of the parameters; none where a name of them is unknown."""
    try:
        return typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - annotations may be any code
        return {}


def _field(parameter: inspect.Parameter, hint: Any) -> Field:
    field = Field(
        name=parameter.name,
        place=parameter.kind,
        type="" if hint is LEFT_OUT else _name_of(hint),
        default=parameter.default,
    )
    if parameter.kind not in _MANY:
        field = _of_type(field, hint)
    return field if field.default is LEFT_OUT else field.holding(field.default) or field


def _of_type(field: Field, hint: Any) -> Field:
    """Return a field for values of a type."""
    choices = [member for member in typing.get_args(hint) if member is not type(None)]
    if typing.get_origin(hint) in {typing.Union, types.UnionType} and len(choices) == 1:
        inner = _of_type(field, choices[0])
        if inner.kind == "choice":
            return replace(inner, takes_none=True, choices={NONE: None, **inner.choices})
        return replace(inner, takes_none=True)
    found = _choices_of(hint)
    if found:
        return replace(field, kind="choice", choices=found, takes_none=NONE in found)
    kinds: tuple[tuple[Any, Kind], ...] = ((str, "text"), (int, "whole"), (float, "number"))
    return replace(field, kind=next((kind for simple, kind in kinds if hint is simple), "json"))


def _choices_of(hint: Any) -> dict[str, Any]:
    """Return all values of a type, by how they are written, if they are few."""
    if hint is bool:
        return {"True": True, "False": False}
    if typing.get_origin(hint) is Literal:
        return {repr_of(value): value for value in typing.get_args(hint)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {each.name: each for each in hint}
    return {}


def _name_of(hint: Any) -> str:
    if isinstance(hint, str):
        return cut(hint)
    is_plain = isinstance(hint, type) and not typing.get_args(hint)
    return hint.__qualname__ if is_plain else cut(repr_of(hint).replace("typing.", ""))
