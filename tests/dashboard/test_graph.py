"""Workflows as drawings: columns, folding, the critical path. Plain data, no database."""

from collections.abc import Sequence

import pytest

from taskito_dashboard import graph
from taskito_dashboard.workflows import Member, Workflow, name_of

NOW = 10_000


def job(name: str, *parents: str, task: str = "", span: tuple[int, int] | None = None) -> Member:
    return Member(
        id=name,
        task=task or name,
        queue="default",
        status="complete" if span else "pending",
        started_at=span[0] if span else None,
        completed_at=span[1] if span else None,
        parents=parents,
    )


def shapes(members: Sequence[Member]) -> list[tuple[str, int, int]]:
    """Task, column and number of jobs of each box."""
    drawing = graph.drawn(members, NOW)
    return [(box.task, box.column, len(box.members)) for box in drawing.boxes]


DIAMOND = [job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c")]


def test_a_job_stands_right_of_all_that_it_waits_for() -> None:
    late = [*DIAMOND, job("e", "a", "d"), job("f", "elsewhere")]

    assert graph.column_of(late) == {"a": 0, "b": 1, "c": 1, "d": 2, "e": 3, "f": 0}


def test_few_jobs_are_drawn_one_by_one_and_do_not_overlap() -> None:
    drawing = graph.drawn(DIAMOND, NOW)
    places = {(box.x, box.y) for box in drawing.boxes}

    assert len(drawing.boxes) == len(places) == 4
    assert len(drawing.lines) == 4
    for one in drawing.boxes:
        assert 0 <= one.x <= drawing.width - graph.WIDTH
        assert 0 <= one.y <= drawing.height - graph.HEIGHT
        for other in drawing.boxes:
            if one is not other and one.column == other.column:
                assert abs(one.y - other.y) >= graph.HEIGHT


def test_thousands_of_members_of_a_group_are_one_box() -> None:
    split = job("split")
    parts = [job(f"p{number}", "split", task="part") for number in range(3000)]
    join = job("join", *(part.id for part in parts))

    members = [split, *parts, join]
    assert shapes(members) == [("split", 0, 1), ("part", 1, 3000), ("join", 2, 1)]
    assert len(graph.drawn(members, NOW).lines) == 2


def test_equal_chains_fold_into_one_chain() -> None:
    firsts = [job(f"a{number}", task="fetch") for number in range(40)]
    seconds = [job(f"b{number}", f"a{number}", task="store") for number in range(40)]

    assert shapes([*firsts, *seconds]) == [("fetch", 0, 40), ("store", 1, 40)]


def test_what_hangs_together_differently_stays_apart() -> None:
    crowd = [job(f"p{number}", task="part") for number in range(30)]
    odd = job("odd", "p0")

    assert sorted(shapes([*crowd, odd])) == [("odd", 1, 1), ("part", 0, 1), ("part", 0, 29)]


def test_a_graph_without_any_order_is_folded_by_task_and_column() -> None:
    roots = [job(f"r{number}", task="root") for number in range(300)]
    leaves = [
        job(f"l{number}", *(f"r{at}" for at in range(number + 1)), task="leaf")
        for number in range(300)
    ]

    assert shapes([*roots, *leaves]) == [("root", 0, 300), ("leaf", 1, 300)]


def test_the_critical_path_is_what_each_step_waited_for_longest() -> None:
    members = [
        job("a", span=(0, 10)),
        job("b", "a", span=(10, 20)),
        job("c", "a", span=(10, 90)),
        job("d", "b", "c", span=(90, 95)),
        job("e", "a", span=(10, 30)),
    ]
    drawing = graph.drawn(members, NOW)

    assert graph.critical_path(members, NOW) == ["a", "c", "d"]
    assert {box.task for box in drawing.boxes if box.is_critical} == {"a", "c", "d"}
    assert sum(line.is_critical for line in drawing.lines) == 2
    assert graph.critical_path(DIAMOND, NOW) == []


def test_of_steps_that_took_no_time_the_last_one_ends_the_path() -> None:
    members = [job("a", span=(0, 10)), job("b", "a", span=(10, 10))]

    assert graph.critical_path(members, NOW) == ["a", "b"]


def test_a_bar_has_parts_as_long_as_their_shares() -> None:
    counts = {"complete": 3, "running": 0, "pending": 1, "dead": 0, "cancelled": 0}

    assert graph.spans(counts, 100) == [("complete", 0, 75), ("pending", 75, 25)]
    assert graph.spans(dict.fromkeys(counts, 0), 100) == []


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({"complete": 2}, "complete"),
        ({"complete": 1, "pending": 1}, "running"),
        ({"pending": 1}, "running"),
        ({"running": 1, "dead": 1}, "dead"),
        ({"complete": 1, "cancelled": 1}, "cancelled"),
    ],
)
def test_a_workflow_is_as_its_worst_job(counts: dict[str, int], status: str) -> None:
    known = dict.fromkeys(("complete", "running", "pending", "dead", "cancelled"), 0)
    found = Workflow(
        id="w",
        name="w",
        counts={**known, **counts},
        enqueued_at=0,
        started_at=1,
        finished_at=None,
        failed_job_id=None,
    )

    assert found.status == status


def test_a_workflow_is_named_after_its_first_tasks() -> None:
    assert name_of(["fetch", "fetch", "store"]) == "fetch, store"
    assert name_of(["a", "b", "c", "d"]) == "a, b, c, …"
