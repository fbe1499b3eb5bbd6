"""The numbers on top of the overview: each with a unit or what to compare it with, and a link."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from taskito_dashboard import words
from taskito_dashboard.standing import Pace, Standing
from taskito_dashboard.world import World

MOST_DEATHS = 1_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One number.

    Attributes:
        label: What is counted.
        value: How many.
        more: What that means.
        link: The parts of the address it leads to.
        query: What the address asks for.
        is_bad: Whether it is shown as a failure.
    """

    label: str
    value: str
    more: str
    link: tuple[str, ...] = ("jobs",)
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    is_bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """Jobs that died.

    Attributes:
        dead: How many are stored.
        groups: How many groups of failures have dead letters.
        today: How many dead letters there are of today, up to :data:`MOST_DEATHS`.
    """

    dead: int
    groups: int
    today: int


def tiles(world: World, stands: Standing, lately: Pace, toll: Toll) -> list[Tile]:
    """Return the tiles of the overview.

    Args:
        world: What the rules look at.
        stands: Where jobs stand.
        lately: What ended in the last minute.
        toll: The dead.
    """
    ended = lately.done + lately.failed
    run = "last 60 s" if lately.run_p95 is None else f"p95 run {words.duration(lately.run_p95)}"
    return [
        Tile(
            label="Ready",
            value=words.count(stands.all_ready),
            more=_oldest(world),
            query={"filter": "state:ready"},
        ),
        Tile(
            label="Running",
            value=words.count(sum(queue["running"] for queue in world.queues)),
            more=f"of {words.count(world.slots)} slot{'' if world.slots == 1 else 's'}",
            query={"filter": "state:running"},
        ),
        Tile(
            label="Done / min",
            value=words.count(lately.done),
            more=run,
            query={"filter": "state:completed"},
        ),
        Tile(
            label="Failed / min",
            value=words.count(lately.failed),
            more=words.percent(lately.failed, ended),
            link=("failures",),
            is_bad=bool(lately.failed),
        ),
        Tile(
            label="Retrying",
            value=stands.retrying_text,
            more=_next(stands, world.now),
            query={"filter": "state:retrying"},
        ),
        Tile(
            label="Dead",
            value=words.count(toll.dead),
            more=_deaths(toll),
            query={"filter": "state:dead"},
        ),
    ]


def _oldest(world: World) -> str:
    oldest = world.oldest_due_at
    if oldest is None:
        return "none due"
    drains = world.flow.drains if world.flow is not None else ""
    return f"oldest {words.duration(world.now - oldest)}{f' · {drains}' if drains else ''}"


def _next(stands: Standing, now: int) -> str:
    if stands.next_retry is None:
        return "none waits" if stands.is_whole else "more than are counted"
    return f"next in {words.duration(stands.next_retry - now)}"


def _deaths(toll: Toll) -> str:
    today = f"+{words.count(toll.today)}"
    if toll.today == MOST_DEATHS:
        today = f"+{words.count(MOST_DEATHS - 1)} or more"
    return f"{words.count(toll.groups)} group{'' if toll.groups == 1 else 's'} · {today} today"
