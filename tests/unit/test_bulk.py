"""Many jobs at once: searching by a filter line, and operations on all that match."""

from collections.abc import Iterator

import pytest

from taskito import JsonSerializer, Queue
from taskito.bulk import CAP, Bulk, Count
from taskito.filters import Filter


@pytest.fixture
def queue() -> Iterator[Queue]:
    with Queue(":memory:", serializer=JsonSerializer()) as queue:
        yield queue


@pytest.fixture
def bulk(queue: Queue) -> Bulk:
    return Bulk(queue)


def found(bulk: Bulk, line: str) -> list[str]:
    return [job.id for job in bulk.search(Filter.parse(line))]


class TestSearch:
    def test_jobs_are_found_by_their_arguments(self, queue: Queue, bulk: Bulk) -> None:
        first = queue.enqueue("send", [7], {"user_id": 42, "to": "a b"})
        second = queue.enqueue("send", [8], {"user_id": 420})
        assert found(bulk, "args.user_id:42") == [first.id]
        assert found(bulk, "args.user_id:42*") == [second.id, first.id]
        assert found(bulk, "args.0:8") == [second.id]
        assert found(bulk, '-args.to:"a b"') == [second.id]
        assert found(bulk, "args.user:42") == []

    def test_arguments_are_found_as_they_are_shown(self) -> None:
        with Queue(":memory:", redact=["iban"]) as queue:
            bulk = Bulk(queue)
            job = queue.enqueue("send", (7, "a, b"), {"user_id": 42, "flag": True, "iban": "DE1"})
            other = queue.enqueue("send", (None,), {"user_id": 420, "text": "x" * 5000})
            assert found(bulk, "args.user_id:42") == [job.id]
            assert found(bulk, "args.user_id:42*") == [other.id, job.id]
            assert found(bulk, 'args.1:"a, b"') == [job.id]
            assert found(bulk, "args.0:None,7") == [other.id, job.id]
            assert found(bulk, "args.flag:true") == found(bulk, "args.flag:True") == [job.id]
            assert found(bulk, "args.text:xxx*") == [other.id]
            assert found(bulk, "args.text:xxx") == found(bulk, "args.text:yyy*") == []
            assert found(bulk, "args.iban:DE1") == found(bulk, "DE1") == []
            assert found(bulk, "\"send(7, 'a, b'\"") == [job.id]
            assert found(bulk, "-args.user_id:42") == [other.id]

    def test_what_a_preview_hides_is_not_found_in_json_either(
        self, queue: Queue, bulk: Bulk
    ) -> None:
        queue.enqueue("login", (), {"user": "ana", "password": "hunter2", "note": "y" * 3000})
        assert len(found(bulk, "args.user:ana")) == 1
        assert found(bulk, "args.password:hunter2") == found(bulk, "hunter2") == []

    def test_json_says_what_a_preview_has_no_room_for(self, queue: Queue, bulk: Bulk) -> None:
        job = queue.enqueue("send", (), {"text": "y" * 3000 + "end", "to": "ana"})
        assert found(bulk, "args.text:*end") == found(bulk, "yyend") == [job.id]

    def test_without_previews_json_is_read_and_nothing_else(self) -> None:
        for serializer, expected in ((JsonSerializer(), 1), (None, 0)):
            with Queue(":memory:", previews=False, serializer=serializer) as queue:
                queue.enqueue("send", (), {"user_id": 42})
                assert len(found(Bulk(queue), "args.user_id:42")) == expected

    def test_jobs_are_found_by_tag_state_and_text(self, queue: Queue, bulk: Bulk) -> None:
        job = queue.enqueue("send", metadata={"tags": ["eu", "slow"]}, delay=60)
        other = queue.enqueue("report")
        assert found(bulk, "tag:eu") == [job.id]
        assert found(bulk, "state:scheduled") == [job.id]
        assert found(bulk, "state:ready") == [other.id]
        assert found(bulk, "state:pending -tag:eu") == [other.id]
        assert found(bulk, "epor") == [other.id]
        assert found(bulk, f"id:{job.id}") == [job.id]
        assert found(bulk, "state:failed") == []

    def test_pages_follow_each_other(self, queue: Queue, bulk: Bulk) -> None:
        ids = [job.id for job in queue.enqueue_many("send", [(n,) for n in range(5)])]
        which = Filter.parse("task:send")
        first = bulk.search(which, limit=2)
        queue.enqueue("send")
        second = bulk.search(which, limit=2, cursor=first.next_cursor)
        third = bulk.search(which, limit=2, cursor=second.next_cursor)
        assert [job.id for job in [*first, *second, *third]] == ids[::-1]
        assert (third.next_cursor, third.searched) == (None, None)
        assert [job.id for job in bulk.every(which)][1:] == ids[::-1]

    @pytest.mark.timeout(180)  # more jobs than one search looks at
    def test_a_search_says_how_far_it_looked(self, queue: Queue, bulk: Bulk) -> None:
        rare = queue.enqueue("rare", (), {"x": 1})
        queue.enqueue_many("common", [()] * 110_000)
        page = bulk.search(Filter.parse("args.x:1"))
        assert page == []
        assert page.searched == 100_000
        rest = bulk.search(Filter.parse("args.x:1"), cursor=page.next_cursor)
        assert [job.id for job in rest] == [rare.id]
        assert rest.next_cursor is None
        assert found(bulk, "task:rare") == [rare.id]
        assert str(bulk.count(Filter.parse("args.x:1"))) == "0+"

    def test_a_cursor_of_another_list_is_refused(self, bulk: Bulk) -> None:
        with pytest.raises(ValueError, match="was not returned by this call"):
            bulk.search(Filter(), cursor="d1")


class TestCount:
    def test_many_are_counted_up_to_a_limit(self, queue: Queue, bulk: Bulk) -> None:
        queue.enqueue_many("a", [()] * (CAP + 5))
        queue.enqueue_many("b", [()] * 3)
        assert bulk.count(Filter.parse("task:b")) == Count(number=3, is_capped=False, is_whole=True)
        assert str(bulk.count(Filter.parse("task:a"))) == "10,000+"
        assert str(bulk.count(Filter.parse("state:ready"))) == "10,000+"

    def test_newer_ones_are_counted_and_left_out(self, queue: Queue, bulk: Bulk) -> None:
        jobs = queue.enqueue_many("t", [()] * 5)
        for line in ("", "task:t", "state:ready", "t"):
            which = Filter.parse(line)
            page = bulk.search(which, newest=jobs[2].id)
            assert [job.id for job in page] == [job.id for job in jobs[2::-1]], line
            assert bulk.count(which, after=jobs[2].id).number == 2
            assert str(bulk.count(which, after=jobs[0].id, cap=3)) == "3+"
        assert bulk.count(Filter(), after=jobs[4].id).number == 0
        older = bulk.search(Filter(), limit=2, newest=jobs[3].id)
        rest = bulk.search(Filter(), newest=jobs[3].id, cursor=older.next_cursor)
        assert [job.id for job in [*older, *rest]] == [job.id for job in jobs[3::-1]]

    def test_of_very_many_newer_ones_some_are_looked_at(
        self, queue: Queue, bulk: Bulk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("taskito.bulk._MOST_NEWER", 100)
        first = queue.enqueue("t")
        queue.enqueue("rare")
        queue.enqueue_many("t", [()] * 1000)
        found = bulk.count(Filter.parse("task:rare"), after=first.id)
        assert (found.number, found.is_whole, str(found)) == (0, False, "0+")


class TestOperate:
    def test_an_operation_takes_all_that_match(self, queue: Queue, bulk: Bulk) -> None:
        jobs = queue.enqueue_many("a", [()] * 1200)
        kept = queue.enqueue("b")
        begun = bulk.begin("cancel", Filter.parse("task:a"), who="ana")
        assert (begun.state, begun.total, begun.done) == ("running", 1200, 0)
        over = bulk.finish(begun.id)
        assert (over.state, over.done, over.skipped) == ("done", 1200, 0)
        assert over.is_over
        assert over.ended_at is not None
        assert {job.status for job in jobs} == {"cancelled"}
        assert kept.status == "pending"
        assert bulk.operations() == [over]
        assert bulk.drive() is None

    def test_a_stopped_operation_says_by_whom(self, queue: Queue, bulk: Bulk) -> None:
        job = queue.enqueue("a")
        begun = bulk.begin("cancel", Filter(), who="ana")
        assert bulk.stop(begun.id, who="bob")
        assert not bulk.stop(begun.id, who="bob")
        assert not bulk.stop("nobody", who="bob")
        over = bulk.finish(begun.id)
        assert (over.state, over.report) == ("stopped", "stopped by bob")
        assert job.status == "pending"

    def test_what_was_done_is_written_down(self, queue: Queue, bulk: Bulk) -> None:
        queue.enqueue("a")
        bulk.begin("delete", Filter.parse("task:a"), who="ana")
        bulk.audit("bob", "pause", "mail")
        told = [(deed.who, deed.deed, deed.subject, deed.count) for deed in bulk.deeds()]
        assert told == [("bob", "pause", "mail", 1), ("ana", "delete", "task:a", 1)]

    @pytest.mark.parametrize(
        "given", [{"verb": "drop"}, {"rate": 0}, {"stop_after": -1}, {"rate": 10**9}]
    )
    def test_what_makes_no_sense_is_refused(self, bulk: Bulk, given: dict[str, object]) -> None:
        settings = {"verb": "cancel", "which": Filter(), "who": "ana"} | given
        with pytest.raises(ValueError, match=r"verb|rate|stop_after"):
            bulk.begin(**settings)  # type: ignore[arg-type]
        assert bulk.operations() == []

    def test_an_operation_that_is_not_there_is_not_found(self, bulk: Bulk) -> None:
        assert bulk.get("nobody") is None
        with pytest.raises(LookupError, match="operation not found: nobody"):
            bulk.finish("nobody")


class TestMark:
    def test_marks_are_deeds_that_are_told_for_a_time(self, queue: Queue, bulk: Bulk) -> None:
        queue.mark(" v1.4 ", who="ana")
        queue.mark("v1.5")
        bulk.audit("ana", "pause", "mail")
        newest, first = bulk.marks(0, 2**52)
        assert (first.subject, first.who, first.deed, first.count) == ("v1.4", "ana", "mark", 0)
        assert (newest.subject, newest.who) == ("v1.5", "program")
        assert bulk.marks(0, 2**52, limit=1) == [newest]
        assert bulk.marks(0, first.at) == []
        assert [deed.deed for deed in bulk.deeds()] == ["pause", "mark", "mark"]

    @pytest.mark.parametrize("text", ["", "  ", "a\nb", "x" * 101])
    def test_a_mark_is_a_short_line(self, queue: Queue, text: str) -> None:
        with pytest.raises(ValueError, match="one line of 1 to 100 letters"):
            queue.mark(text)
