"""Canvas: calls that are made later, put together to workflows.

A workflow is stored whole, in one transaction, when it is applied. From then on it needs
nobody: the caller may exit, and workers may come and go.

Example:
    >>> from taskito import Queue, chord, group
    >>> queue = Queue(":memory:")
    >>> @queue.task(name="square")
    ... def square(number: int) -> int:
    ...     return number * number
    >>> @queue.task(name="total")
    ... def total(numbers: list[int]) -> int:
    ...     return sum(numbers)
    >>> squares = group(square.s(number) for number in range(4))
    >>> job = chord(squares, total.s()).apply()  # its result is 14
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from reprlib import recursive_repr
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast, overload

from taskito._checks import arguments, integer, keywords, listed
from taskito._plan import Ends, Groups, Layout, Plan, Step
from taskito._twins import twin
from taskito.job import JobResult
from taskito.options import JobOptions
from taskito.task import BoundTask

if TYPE_CHECKING:
    from typing import Unpack

    from taskito.options import CallOptions
    from taskito.queue import Queue

__all__ = ["Canvas", "Signature", "chain", "chord", "chunks", "group", "starmap"]

T = TypeVar("T")
R = TypeVar("R")
Jobs: TypeAlias = list[JobResult[Any]]


class Canvas(ABC, Generic[T]):
    """What a workflow is made of: a signature, a chain, a group or a chord.

    Any of them may be a step of a chain, a member of a group or the header of a chord.
    """

    def apply(self, queue: "Queue | None" = None) -> T:
        """Store every job of the workflow in one transaction; return at once.

        A result goes in front of the arguments of the next step, ``None`` included; the
        results of a group go there as one list, in the order of its members. Steps made
        with ``.si()`` receive nothing. A step that ends ``dead`` or ``cancelled`` cancels
        all that depends on it.

        Args:
            queue: The Queue to use; ``None`` means the one that the tasks belong to.

        Returns:
            A handle on the last job; a list of handles for a group, and for a chain that
            ends in one.

        Raises:
            ValueError: If tasks of different Queues are mixed and none is given, or for a
                ``unique_key`` or ``idempotency_key`` on a step that receives a result.
            TypeError: If arguments do not fit the function of their task.
            SerializationError: If arguments cannot be serialized.
            StorageError: If the database cannot be written.

        Nothing is stored when it raises.
        """
        plan = Plan(self)
        handles = _stored(plan.steps, queue)
        ends = [handles[step] for step in plan.ends.steps]
        return cast("T", ends if plan.ends.is_list else ends[0])

    aapply = twin(apply)

    def __or__(self, other: "Canvas[R]") -> "chain[R]":
        """Return a chain of this and then ``other``."""
        if not isinstance(other, Canvas):
            return NotImplemented
        return chain([*_steps(self), *_steps(other)])

    @abstractmethod
    def _layout(self, plan: Plan, before: Ends, groups: Groups) -> Layout | Ends:
        """Add the jobs of this part to a plan."""


@dataclass(frozen=True)
class Signature(Canvas[JobResult[R]]):
    """A call of a task that is not made yet, from :meth:`taskito.TaskWrapper.s`.

    Attributes:
        task: The task.
        args: Positional arguments; what comes before puts its result in front of them.
        kwargs: Keyword arguments.
        options: Options of the job, as for :meth:`taskito.TaskWrapper.options`.
        immutable: Whether it takes its own arguments alone.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> @queue.task(name="add")
        ... def add(a: int, b: int) -> int:
        ...     return a + b
        >>> add.s(1, 2).set(priority=5).apply().priority
        5
    """

    task: BoundTask[..., R]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    immutable: bool = False

    def __post_init__(self) -> None:
        """Check everything, and own the containers."""
        if not isinstance(self.task, BoundTask):
            message = f"task must be a task of a queue, got {short_repr(self.task)}"
            raise TypeError(f"{message}\nhint: put @queue.task on the function")
        options = JobOptions.of_mapping(self.options, f"a step of {self.task.name!r}")
        object.__setattr__(self, "args", arguments(self.args))
        object.__setattr__(self, "kwargs", keywords(self.kwargs))
        object.__setattr__(self, "options", options.as_written())

    def set(self, **options: "Unpack[CallOptions]") -> "Signature[R]":
        """Return a copy with options put over those it has; ``None`` sets nothing.

        Raises:
            TypeError: For an unknown option; the message names the nearest.
        """
        given = {name: value for name, value in options.items() if value is not None}
        return replace(self, options={**self.options, **given})

    def _layout(self, plan: Plan, before: Ends, groups: Groups) -> Ends:
        return plan.add(self, before, groups)


class chain(Canvas[T]):  # noqa: N801 - a documented name
    """Steps that run one after the other, each with the result of the one before.

    Attributes:
        signatures: The steps, which may be any canvas.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> @queue.task(name="add")
        ... def add(a: int, b: int) -> int:
        ...     return a + b
        >>> job = chain(add.s(1, 2), add.s(10)).apply()  # its result is 13
    """

    @overload
    def __init__(self, *steps: *tuple[*tuple[Canvas[Any], ...], Canvas[T]]) -> None: ...
    @overload
    def __init__(self: "chain[Any]", steps: Iterable[Canvas[Any]], /) -> None: ...
    @overload
    def __init__(self: "chain[Any]", *steps: Canvas[Any]) -> None: ...
    def __init__(self, *steps: Any) -> None:  # type: ignore[misc]  # it accepts both
        """Take the steps, or one iterable of them.

        Raises:
            ValueError: If there is none.
            TypeError: If one of them is no canvas.
        """
        self.signatures = _parts("chain", steps)

    def _layout(self, plan: Plan, before: Ends, groups: Groups) -> Layout:  # noqa: ARG002
        for step in self.signatures:
            before = yield step, before, groups
        return before

    @recursive_repr()
    def __repr__(self) -> str:
        """Show the steps."""
        return f"chain({', '.join(map(repr, self.signatures))})"


class group(Canvas[Jobs]):  # noqa: N801 - a documented name
    """Members that run at the same time. Their results are a list in the order of members.

    A group inside a group is flattened, and so is a chain there that ends in a group.

    Attributes:
        signatures: The members, which may be any canvas.
        max_concurrency: How many jobs of the group run at once, over all workers; ``None``
            means as many as there are slots.
    """

    def __init__(
        self,
        *members: "Canvas[Any] | Iterable[Canvas[Any]]",
        max_concurrency: int | None = None,
    ) -> None:
        """Take the members, or one iterable of them.

        Raises:
            ValueError: If there is none, or ``max_concurrency`` is below 1.
            TypeError: If one of them is no canvas.
        """
        self.signatures = _parts("group", members)
        self.max_concurrency = (
            None if max_concurrency is None else integer("max_concurrency", max_concurrency, 1)
        )

    def _layout(self, plan: Plan, before: Ends, groups: Groups) -> Layout:
        inside = plan.limited(groups, self.max_concurrency)
        ends: list[int] = []
        for member in self.signatures:
            ends.extend((yield member, before, inside).steps)
        return Ends(ends, is_list=True)

    @recursive_repr()
    def __repr__(self) -> str:
        """Show the members."""
        limit = "" if self.max_concurrency is None else f", max_concurrency={self.max_concurrency}"
        return f"group({', '.join(map(repr, self.signatures))}{limit})"


class chord(Canvas[T]):  # noqa: N801 - a documented name
    """A group, and a callback that receives the list of its results.

    Attributes:
        group: The group; another canvas as header is a group of that one member.
        callback: The callback, which may be any canvas.
    """

    def __init__(self, header: "Canvas[Any] | Iterable[Canvas[Any]]", callback: Canvas[T]) -> None:
        """Take a group, or an iterable of members, and the callback.

        Raises:
            ValueError: If there is no member.
            TypeError: If a member or the callback is no canvas.
        """
        self.group = header if isinstance(header, group) else group(header)
        self.callback = _checked(callback, "the callback of a chord")

    def _layout(self, plan: Plan, before: Ends, groups: Groups) -> Layout:  # noqa: ARG002
        before = yield self.group, before, groups
        return (yield self.callback, before, groups)

    @recursive_repr()
    def __repr__(self) -> str:
        """Show both parts."""
        return f"chord({self.group!r}, {self.callback!r})"


def chunks(task: BoundTask[..., Any], items: Iterable[Any], chunk_size: int) -> group:
    """Return a group with one call of ``task`` for every ``chunk_size`` items.

    Args:
        task: It receives a list of items.
        items: Any iterable.
        chunk_size: How many items each call gets; the last one may get fewer.

    Raises:
        ValueError: If ``chunk_size`` is below 1, or there are no items.
    """
    size = integer("chunk_size", chunk_size, 1)
    everything = list(items)
    return group(
        task.s(everything[start : start + size]) for start in range(0, len(everything), size)
    )


def starmap(task: BoundTask[..., Any], args_list: Iterable[Iterable[Any]]) -> group:
    """Return a group with one call ``task(*args)`` for every entry.

    Args:
        task: The task.
        args_list: Each entry is the positional arguments of one call.

    Raises:
        ValueError: If there are no entries.
    """
    return group(task.s(*arguments(args)) for args in listed("args_list", args_list))


def _parts(kind: str, given: Sequence[Any]) -> list[Canvas[Any]]:
    """Return the parts of a chain or group, given one by one or as one iterable."""
    first: object = given[0] if len(given) == 1 else None
    if isinstance(first, Iterable):
        given = list(cast("Iterable[object]", first))
    if not given:
        raise ValueError(f"{kind} requires at least one signature")
    return [_checked(part, f"a part of a {kind}") for part in given]


def _checked(part: Canvas[T], what: str) -> Canvas[T]:
    if not isinstance(part, Canvas):
        message = f"{what} must be a signature, chain, group or chord, got {short_repr(part)}"
        raise TypeError(f"{message}\nhint: task.s(...) makes a signature of a task")
    return part


def _steps(canvas: Canvas[Any]) -> list[Canvas[Any]]:
    return canvas.signatures if isinstance(canvas, chain) else [canvas]


def _stored(steps: list[Step], queue: "Queue | None") -> Jobs:
    """Store the jobs of a plan; tasks that the Queue knows have their settings there."""
    if queue is not None:
        _check_queue(queue)
        known = queue._tasks  # noqa: SLF001
        steps = [replace(step, task=known.get(step.task.name, step.task)) for step in steps]
        return queue._producer.submit_workflow(steps)  # noqa: SLF001
    producer, *others = {step.task._producer: None for step in steps}  # noqa: SLF001
    if others:
        names = ", ".join(dict.fromkeys(repr(step.task.name) for step in steps))
        message = f"a workflow is stored in one queue, and these tasks are of several: {names}"
        raise ValueError(f"{message}\nhint: name it: apply(queue=...)")
    return producer.submit_workflow(steps)


def _check_queue(queue: object) -> None:
    from taskito.queue import Queue  # noqa: PLC0415 - it imports this module's users

    if not isinstance(queue, Queue):
        message = f"queue must be a Queue object, got {short_repr(queue)}"
        hint = "\nhint: .set(queue='name') says where the jobs of a step wait"
        raise TypeError(message + (hint if isinstance(queue, str) else ""))
