"""From the jobs of a workflow to a drawing of few enough boxes. Pure: plain data in and out.

A job stands in the column after the last one that it waits for. Jobs of a column that have the
same task and hang together with the others in the same way are folded into one box.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from taskito_dashboard.workflows import STATUSES, Member

FEW = 24
"""So many jobs are drawn one by one."""
MANY = 240
"""More boxes than that are folded without regard to what hangs together with what."""
WIDTH, HEIGHT = 172, 40
_ACROSS, _DOWN = 60, 14
_EDGE = 10
_ROUNDS = 12
_SWEEPS = 4
_LONGEST = 20


@dataclass(slots=True, kw_only=True)
class Box:
    """One job, or several of the same kind.

    Attributes:
        members: The jobs.
        column: Counted from the left.
        label: Their task, cut.
        counts: Their number by status.
        is_critical: Whether one of them is on the critical path.
        x: Of its left edge.
        y: Of its upper edge.
    """

    members: list[Member]
    column: int
    label: str
    counts: Mapping[str, int]
    is_critical: bool = False
    x: int = 0
    y: int = 0

    @property
    def status(self) -> str:
        """That of the job, or the worst of several."""
        for status in ("dead", "running", "pending", "cancelled"):
            if self.counts.get(status):
                return status
        return "complete"

    @property
    def task(self) -> str:
        """The task of the jobs."""
        return self.members[0].task

    def duration(self, now: int) -> int | None:
        """How long the job ran, or the longest of several, in ms."""
        known = [span for member in self.members if (span := member.duration(now)) is not None]
        return max(known, default=None)

    def parts(self) -> list[tuple[str, float, float]]:
        """Return a bar along the box: status, from where and how wide, in pixels."""
        return spans(self.counts, WIDTH)


@dataclass(frozen=True, slots=True)
class Line:
    """From one box to another one, as the data of an SVG path."""

    path: str
    is_critical: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and lines, the jobs of the critical path, and how large it all is."""

    boxes: list[Box]
    lines: list[Line]
    critical: frozenset[str]
    width: int
    height: int


def spans(counts: Mapping[str, int], width: float) -> list[tuple[str, float, float]]:
    """Return the parts of a bar: status, from where and how wide; those of nothing are absent."""
    total = sum(counts.values())
    found: list[tuple[str, float, float]] = []
    at = 0.0
    for status in STATUSES:
        if number := counts.get(status, 0):
            part = width * number / total
            found.append((status, round(at, 2), round(part, 2)))
            at += part
    return found


def drawn(members: Sequence[Member], now: int) -> Drawing:
    """Return the drawing of a workflow.

    Args:
        members: Its jobs, each after those that it waits for.
        now: The present, ms since the epoch.
    """
    columns = column_of(members)
    folds = folded(members, columns)
    path = critical_path(members, now)
    on_path = frozenset(path)
    boxes = _boxes(members, columns, folds, on_path)
    pairs = _pairs(members, folds)
    _place(boxes, pairs)
    critical = {(folds[before], folds[after]) for before, after in pairwise(path)}
    lines = [
        Line(_path(boxes[before], boxes[after]), (before, after) in critical)
        for before, after in sorted(pairs)
    ]
    ordered = sorted(boxes.values(), key=lambda box: (box.column, box.y))
    width = max((box.x for box in ordered), default=0) + WIDTH + _EDGE
    height = max((box.y for box in ordered), default=0) + HEIGHT + _EDGE
    return Drawing(ordered, lines, on_path, width, height)


def column_of(members: Iterable[Member]) -> dict[str, int]:
    """Return the column of each job: how many others it waits for, one after the other."""
    columns: dict[str, int] = {}
    # Many wait for the same ones.
    known: dict[tuple[str, ...], int] = {}
    for member in members:
        column = known.get(member.parents)
        if column is None:
            before = [columns[parent] for parent in member.parents if parent in columns]
            column = known[member.parents] = max(before, default=-1) + 1
        columns[member.id] = column
    return columns


def critical_path(members: Sequence[Member], now: int) -> list[str]:
    """Return the jobs that decided when the workflow ends, or ended, first to last.

    From the job that ended last, or runs, back over the parent that each waited for longest.
    """
    by_id = {member.id: member for member in members}
    started = [member for member in members if member.started_at is not None]
    if not started:
        return []

    def end(member: Member) -> int:
        return now if member.completed_at is None else member.completed_at

    # Of jobs that ended in the same millisecond the one that was stored last.
    path = [max(reversed(started), key=end)]
    while parents := [
        by_id[parent]
        for parent in path[-1].parents
        if parent in by_id and by_id[parent].started_at is not None
    ]:
        path.append(max(parents, key=end))
    return [member.id for member in reversed(path)]


def folded(members: Sequence[Member], columns: Mapping[str, int]) -> dict[str, int]:
    """Return the number of the box of each job."""
    if len(members) <= FEW:
        return {member.id: number for number, member in enumerate(members)}
    coarse = _numbered({member.id: (columns[member.id], member.task) for member in members})
    fine = _told_apart(members, coarse)
    return fine if len(set(fine.values())) <= MANY else coarse


def _told_apart(members: Sequence[Member], kinds: Mapping[str, int]) -> dict[str, int]:
    """Part jobs of a kind by the kinds of what they wait for and of what waits for them."""
    children: dict[str, list[str]] = {}
    for member in members:
        for parent in member.parents:
            children.setdefault(parent, []).append(member.id)
    found = dict(kinds)
    for _ in range(_ROUNDS):
        # Many wait for the same ones, and most have nobody who waits for them.
        above = {
            parents: frozenset(found.get(parent, -1) for parent in parents)
            for parents in {member.parents for member in members}
        }
        below = {
            parent: frozenset(found[child] for child in waiting)
            for parent, waiting in children.items()
        }
        finer = _numbered(
            {
                member.id: (found[member.id], above[member.parents], below.get(member.id))
                for member in members
            }
        )
        if len(set(finer.values())) == len(set(found.values())):
            break
        found = finer
    return found


def _numbered(kinds: Mapping[str, object]) -> dict[str, int]:
    numbers: dict[object, int] = {}
    return {job: numbers.setdefault(kind, len(numbers)) for job, kind in kinds.items()}


def _boxes(
    members: Iterable[Member],
    columns: Mapping[str, int],
    folds: Mapping[str, int],
    critical: frozenset[str],
) -> dict[int, Box]:
    inside: dict[int, list[Member]] = defaultdict(list)
    for member in members:
        inside[folds[member.id]].append(member)
    return {
        number: Box(
            members=jobs,
            column=columns[jobs[0].id],
            label=_cut(jobs[0].task),
            counts=Counter(job.status for job in jobs),
            is_critical=any(job.id in critical for job in jobs),
        )
        for number, jobs in inside.items()
    }


def _pairs(members: Iterable[Member], folds: Mapping[str, int]) -> set[tuple[int, int]]:
    return {
        (folds[parent], folds[member.id])
        for member in members
        for parent in member.parents
        if parent in folds and folds[parent] != folds[member.id]
    }


def _place(boxes: Mapping[int, Box], pairs: Iterable[tuple[int, int]]) -> None:
    """Give each box its place: columns from left to right, near what it hangs together with."""
    near: dict[int, list[int]] = defaultdict(list)
    for before, after in pairs:
        near[before].append(after)
        near[after].append(before)
    columns: dict[int, list[int]] = defaultdict(list)
    for number, box in boxes.items():
        columns[box.column].append(number)
    tallest = max(map(len, columns.values()), default=0)
    heights = {number: float(at) for rows in columns.values() for at, number in enumerate(rows)}

    def pull(number: int) -> float:
        others = near[number]
        return sum(heights[other] for other in others) / len(others) if others else heights[number]

    for _ in range(_SWEEPS):
        for rows in columns.values():
            rows.sort(key=pull)
            top = (tallest - len(rows)) / 2
            heights.update({number: top + at for at, number in enumerate(rows)})
    for number, box in boxes.items():
        box.x = _EDGE + box.column * (WIDTH + _ACROSS)
        box.y = _EDGE + round(heights[number] * (HEIGHT + _DOWN))


def _path(before: Box, after: Box) -> str:
    begin, end = before.x + WIDTH, after.x
    low, high = before.y + HEIGHT // 2, after.y + HEIGHT // 2
    middle = (begin + end) // 2
    return f"M{begin} {low}C{middle} {low} {middle} {high} {end} {high}"


def _cut(task: str) -> str:
    """Return the end of a task's name: the front is its module."""
    return task if len(task) <= _LONGEST else f"…{task[1 - _LONGEST :]}"
