"""A canvas as a flat list of jobs: which waits for which, and takes whose result.

Nothing here touches a database; what a plan says is stored by :mod:`taskito._producer`.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from taskito.options import JobOptions

if TYPE_CHECKING:
    from taskito.canvas import Canvas, Signature
    from taskito.task import BoundTask

Groups: TypeAlias = tuple[tuple[int, int], ...]
"""The limited groups around a step, the outermost first: number and limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One job of a plan. Other steps are named by their place in it.

    Attributes:
        task: What it calls.
        call: The options of its signature.
        args: Its own positional arguments.
        kwargs: Its keyword arguments.
        takes: The step whose result goes in front of ``args``, or the steps whose results
            go there as one list; ``None``: nothing goes there.
        after: Steps that it waits for besides.
        groups: The limited groups it is in.
    """

    task: "BoundTask[..., Any]"
    call: JobOptions
    args: tuple[object, ...]
    kwargs: dict[str, Any]
    takes: int | Sequence[int] | None = None
    after: Sequence[int] = ()
    groups: Groups = ()


@dataclass(frozen=True, slots=True)
class Ends:
    """The steps at the end of a part of a canvas, which the next part waits for.

    Attributes:
        steps: Their places in the plan.
        is_list: Whether their results are passed on as a list.
    """

    steps: Sequence[int] = ()
    is_list: bool = False


Layout: TypeAlias = Generator["tuple[Canvas[Any], Ends, Groups]", Ends, Ends]
"""Lays out one part of a canvas: yields smaller parts, is sent their ends, returns its own."""


class Plan:
    """The jobs of a canvas, each after all that it waits for.

    Attributes:
        steps: The jobs.
        ends: Those whose results are the result of the canvas.
    """

    def __init__(self, canvas: "Canvas[Any]") -> None:
        """Lay out a canvas.

        Raises:
            ValueError: For a ``unique_key`` or ``idempotency_key`` on a step that receives
                a result.
                Also for a canvas that contains itself.
            TypeError: For arguments that do not fit the function of their task.
        """
        self.steps: list[Step] = []
        self._groups = 0
        self.ends = self._laid_out(canvas)

    def add(self, signature: "Signature[Any]", before: Ends, groups: Groups) -> Ends:
        """Append the job of a signature that comes after the ends of another part."""
        task = signature.task
        call = JobOptions.of_mapping(signature.options, f"a step of {task.name!r}")
        takes: int | Sequence[int] | None = None
        after: Sequence[int] = ()
        if signature.immutable:
            after = before.steps
        elif before.steps:
            takes = before.steps if before.is_list else before.steps[0]
            _refuse_keys(task.name, call)
        _check_fit(signature, receives=takes is not None)
        self.steps.append(
            Step(
                task=task,
                call=call,
                args=signature.args,
                kwargs=signature.kwargs,
                takes=takes,
                after=after,
                groups=groups,
            )
        )
        return Ends((len(self.steps) - 1,))

    def limited(self, groups: Groups, limit: int | None) -> Groups:
        """Return the groups of the members of a group that lies in ``groups``."""
        if limit is None:
            return groups
        self._groups += 1
        return (*groups, (self._groups, limit))

    def _laid_out(self, canvas: "Canvas[Any]") -> Ends:
        """Lay out all parts. The stack is kept here, so canvases may be nested at any depth."""
        stack: list[Layout] = []
        around: list[Canvas[Any]] = []
        inside: set[int] = set()
        part, before, groups = canvas, Ends(), _NO_GROUPS
        while True:
            ends = part._layout(self, before, groups)  # noqa: SLF001
            if not isinstance(ends, Ends):
                if id(part) in inside:
                    raise ValueError(f"a {type(part).__name__} contains itself")
                stack.append(ends)
                around.append(part)
                inside.add(id(part))
                part, before, groups = next(ends)  # there is at least one smaller part
                continue
            while stack:
                try:
                    part, before, groups = stack[-1].send(ends)
                    break
                except StopIteration as finished:
                    stack.pop()
                    inside.remove(id(around.pop()))
                    ends = finished.value
            else:
                return ends


_NO_GROUPS: Groups = ()


def _check_fit(signature: "Signature[Any]", *, receives: bool) -> None:
    check = signature.task._binding.check  # noqa: SLF001
    if not receives:
        check(signature.args, signature.kwargs)
        return
    try:
        check((None, *signature.args), signature.kwargs)
    except TypeError as error:
        more = "the result of what comes before goes in front; a step from .si() receives none"
        raise TypeError(f"{error}; {more}") from None


def _refuse_keys(task: str, call: JobOptions) -> None:
    for name, key in (("unique_key", call.unique_key), ("idempotency_key", call.idempotency_key)):
        if key is not None:
            message = (
                f"{name} {key!r} is set on a step of {task!r} that receives a result, "
                "so what it stands for is not known yet"
            )
            raise ValueError(f"{message}\nhint: set it on the first step, or use .si() here")
