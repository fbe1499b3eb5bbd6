"""Groups of failures: the list, a group, what is done with it, and tracebacks of jobs."""

import os
import re
import socket
from collections.abc import Callable
from html import unescape
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from taskito import Queue
from taskito._groups import Groups
from taskito_dashboard import create_app
from taskito_dashboard.driving import Driver
from taskito_dashboard.failures import affected, bars, stretches, varying
from taskito_dashboard.source import milliseconds
from tests.dashboard.asking import HOSTILE, Work, get, page, post, words
from tests.support.until import until

Fail: TypeAlias = Callable[..., None]


@pytest.fixture
def mails(queue: Queue, work: Work) -> list[str]:
    """Four jobs that died for the same reason, oldest first."""

    @queue.task(name="send", max_retries=0)
    def send(user_id: int, *, password: str) -> None:
        assert password == "hunter2"
        raise ConnectionError(f"SMTP timeout talking to mx{user_id % 2}.example.com")

    jobs = [queue.enqueue("send", (number,), {"password": "hunter2"}) for number in range(4)]
    work()
    return [job.id for job in jobs]


def fingerprint(client: Client) -> str:
    [group] = get(client, "/api/failures")
    return str(group["fingerprint"])


class TestPages:
    @pytest.mark.usefixtures("mails")
    def test_the_list_shows_one_line_for_failures_of_one_kind(self, client: Client) -> None:
        text = words(page(client, "/failures"))

        assert "ConnectionError: SMTP timeout talking to mx{N}.example.com" in text
        assert re.search(
            r"send 4 0 .* at tests\.dashboard\.test_failures:mails\.<locals>\.send", text
        )
        assert "4 in the last 24 h, at most 4 in an hour" in text

    def test_a_group_says_what_it_shares_and_what_varies(
        self, client: Client, mails: list[str]
    ) -> None:
        html = page(client, f"/failures/{fingerprint(client)}")
        text = words(html)

        assert "4 dead · 0 retrying" in text
        assert re.search(r"Part 1 [01] 2 [01] 2", text)
        assert "raise ConnectionError" in text
        assert "send(0, password=***)" in text
        assert all(job in html for job in mails)
        assert "hunter2" not in html

    def test_a_group_says_where_it_happened(
        self, client: Client, queue: Queue, mails: list[str], work: Work
    ) -> None:
        queue.mark("v1.4")
        queue.enqueue("send", (7,), {"password": "hunter2"})
        work()
        text = words(page(client, f"/failures/{fingerprint(client)}"))

        worker = re.escape(f"{socket.gethostname()}:{os.getpid()}")
        assert re.search(rf"Worker Version Release Failures {worker} \S+ \S {len(mails)} ", text)
        assert re.search(rf"{worker} \S+ v1\.4 1 ", text)
        assert re.search(r"Argument Values 0 7 1 3 1 2 1 1 1 0 1 password \*\*\* 5 ", text)

    def test_a_job_leads_to_its_group(self, client: Client, mails: list[str]) -> None:
        html = page(client, f"/jobs/{mails[0]}")

        assert "same as 4 jobs" in words(html)
        assert f'href="/failures/{fingerprint(client)}"' in html
        assert "send(0, password=***)" in words(html)
        assert "hunter2" not in html

    @pytest.mark.usefixtures("mails")
    def test_the_list_of_jobs_shows_calls(self, client: Client) -> None:
        assert "send(3, password=***)" in words(page(client, "/jobs"))

    def test_frames_of_libraries_are_folded(self, client: Client, queue: Queue, work: Work) -> None:
        @queue.task(max_retries=0)
        def parse() -> None:
            import json

            json.loads("{")

        job = parse.delay()
        work()
        html = page(client, f"/jobs/{job.id}")

        assert "<summary>… 3 frames in json</summary>" in html
        assert '<code class="code">json.loads(&#34;{&#34;)</code>' in html

    def test_a_group_that_is_not_there_says_so(self, client: Client) -> None:
        assert "no group of failures" in words(page(client, "/failures/0123", 404))

    def test_hostile_failures_are_text(self, client: Client, queue: Queue, work: Work) -> None:
        @queue.task(name=HOSTILE, max_retries=0)
        def fail(text: str) -> None:
            raise type(HOSTILE, (Exception,), {"__module__": HOSTILE})(f"{text} 7")

        job = queue.enqueue(HOSTILE, (HOSTILE,))
        work()
        for path in ("/failures", f"/failures/{fingerprint(client)}", f"/jobs/{job.id}", "/jobs"):
            html = page(client, path)
            assert "<script>alert" not in html, path
            assert "<img" not in html, path
            assert "&lt;script&gt;alert" in html, path


class TestList:
    """What the list of groups shows, in which order."""

    @pytest.fixture
    def fail(self, queue: Queue, work: Work) -> Fail:
        @queue.task(name="break", max_retries=0)
        def broken(kind: str) -> None:
            raise RuntimeError(f"{kind} is broken")

        def fail(kind: str, number: int = 1) -> None:
            queue.enqueue_many("break", [(kind,)] * number)
            work()

        return fail

    @staticmethod
    def kinds(client: Client, path: str) -> list[str]:
        return re.findall(r'<a href="[^"]*" title="RuntimeError: (\w+) is', page(client, path))

    def test_it_is_sorted_as_is_asked_for(self, client: Client, fail: Fail) -> None:
        for kind, number in (("disk", 1), ("fan", 3), ("lamp", 2)):
            fail(kind, number)
        fail("disk")

        assert self.kinds(client, "/failures")[0] == "fan"
        assert self.kinds(client, "/failures?by=count")[0] == "fan"
        assert self.kinds(client, "/failures?by=last") == ["disk", "lamp", "fan"]
        assert self.kinds(client, "/failures?by=first") == ["lamp", "fan", "disk"]
        page(client, "/failures?by=name", 400)

    def test_tabs_have_numbers(self, client: Client, queue: Queue, fail: Fail) -> None:
        fail("disk")
        fail("fan")
        [row, _] = Groups(queue._database).all()
        Groups(queue._database).judge(row.fingerprint, "silenced")

        assert "Open 1 All 2" in words(page(client, "/failures"))
        assert self.kinds(client, "/failures") == ["disk"]
        assert sorted(self.kinds(client, "/failures?state=all")) == ["disk", "fan"]

    def test_those_since_a_mark_are_told_apart(
        self, client: Client, queue: Queue, fail: Fail
    ) -> None:
        fail("disk")
        failed_at = milliseconds()
        # What failed in the millisecond of the mark counts as failed since.
        while milliseconds() == failed_at:
            pass
        queue.mark("v1.4")
        fail("fan")
        fail("disk")

        html = page(client, "/failures")
        [at] = re.findall(r'<option value="(\d+)">v1.4, ', html)
        assert self.kinds(client, f"/failures?since={at}") == ["fan"]
        assert "Open 1 All 1" in words(page(client, f"/failures?since={at}"))
        assert self.kinds(client, f"/failures?since={int(at) + 10**9}") == []

    @pytest.mark.parametrize("by", ["count", "last", "first"])
    def test_pages_lead_on(
        self, client: Client, fail: Fail, by: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("taskito_dashboard.pages.failures.GROUPS_PER_PAGE", 2)
        for kind in ("disk", "fan", "lamp", "door", "lock"):
            fail(kind)
        path, seen = f"/failures?by={by}", []
        while True:
            seen += self.kinds(client, path)
            more = re.findall(
                r'<a class="button" rel="next" href="([^"]*)">More', page(client, path)
            )
            if not more:
                break
            path = unescape(more[0])
        assert sorted(seen) == ["disk", "door", "fan", "lamp", "lock"]
        page(client, "/failures?after=x-y", 400)

    def test_each_line_has_its_buttons(self, client: Client, queue: Queue, fail: Fail) -> None:
        fail("disk", 3)
        html = page(client, "/failures")
        place = f"/failures/{fingerprint(client)}"

        assert "Replay 1 Replay 3… Discard…" in words(html)
        assert f'href="{place}#replay"' in html
        assert f'href="{place}#discard"' in html
        reader = page(Client(create_app(queue, read_only=True)), "/failures")
        assert "Replay" not in words(reader)


class TestActions:
    @pytest.fixture
    def path(self, client: Client, mails: list[str]) -> str:
        assert len(mails) == 4
        return f"/failures/{fingerprint(client)}"

    def test_one_job_is_replayed_and_shown(
        self, client: Client, queue: Queue, path: str, mails: list[str]
    ) -> None:
        answer = client.post(path, data={"deed": "one"})

        [waiting] = queue.list_jobs("pending")
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(f"/jobs/{waiting.id}?did=retried")
        html = page(client, answer.headers["Location"])
        assert "1 job retried. Undo" in words(html)
        assert "3 dead" in words(page(client, path))
        assert mails[0] not in [letter["original_job_id"] for letter in queue.dead_letters()]
        assert [deed["deed"] for deed in get(client, "/api/audit")] == ["retry"]

    def test_all_are_replayed_when_one_has_completed(
        self, client: Client, queue: Queue, path: str, work: Work
    ) -> None:
        html = page(client, path)
        for name, value in (("canary", 1), ("rate", 20), ("stop_after", 5)):
            assert re.search(rf'name="{name}" inputmode="numeric" size="." value="{value}"', html)

        # One press, with what is written there.
        form = {"deed": "replay", "canary": "1", "rate": "20", "stop_after": "5"}
        answer = client.post(path, data=form)
        [operation] = get(client, "/api/operations")
        address = f"/operations/{operation['id']}"
        assert answer.headers["Location"] == address
        assert (operation["canary"], operation["done"], operation["state"]) == (1, 1, "running")
        [first] = queue.list_jobs("pending")
        html = page(client, address)
        assert "waits for its canary" in words(html)
        assert "The others follow when it has completed. It is waited for 5 min" in words(html)
        assert f'id="job-{first.id}"' in html
        assert len(queue.dead_letters()) == 3

        # It fails, as nothing was mended.
        work()
        until(lambda: get(client, f"/api{address}")["state"] == "stopped", within=60)
        html = page(client, address)
        assert f"the canary failed: {first.id}" in words(html)
        assert "The others were left alone." in words(html)
        assert len(queue.dead_letters()) == 4
        assert queue.stats()["pending"] == 0

    def test_the_others_follow_a_canary_that_completes(
        self, client: Client, queue: Queue, path: str, mails: list[str]
    ) -> None:
        queue.task(name="send", max_retries=0)(lambda *_args, **_kwargs: None)
        client.post(path, data={"deed": "replay", "canary": "1"})
        [operation] = get(client, "/api/operations")
        address = f"/operations/{operation['id']}"
        with queue._stepping() as worker:
            worker.run_next()
        until(lambda: get(client, f"/api{address}")["state"] == "done", within=60)
        assert "It completed, the others followed." in words(page(client, address))
        assert get(client, f"/api{address}")["done"] == len(mails)
        assert queue.dead_letters() == []

    def test_all_are_replayed_as_an_operation(
        self, client: Client, queue: Queue, path: str, work: Work
    ) -> None:
        answer = client.post(path, data={"deed": "replay", "rate": "20", "stop_after": "5"})
        [operation] = get(client, "/api/operations")
        assert answer.headers["Location"] == f"/operations/{operation['id']}"
        assert (operation["rate"], operation["stop_after"]) == (20, 5)
        assert operation["filter"] == f"state:dead fp:{path.rpartition('/')[2]}"
        assert (operation["done"], operation["state"]) == (4, "done")
        assert queue.stats()["pending"] == 4
        assert queue.dead_letters() == []
        assert client.post(path, data={"deed": "one"}).status_code == 409
        assert [deed["deed"] for deed in get(client, "/api/audit")] == ["retry"]

        # They fail again: once more all of them, and no job that was dead before.
        work()
        client.post(path, data={"deed": "replay"})
        assert queue.stats()["pending"] == 4

    def test_it_ends_when_too_many_fail(
        self,
        client: Client,
        queue: Queue,
        path: str,
        work: Work,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # Nobody goes on before the first job has failed.
        with monkeypatch.context() as alone:
            alone.setattr(Driver, "wake", lambda _: None)
            client.post(path, data={"deed": "replay", "rate": "1", "stop_after": "1"})
            [operation] = get(client, "/api/operations")
            assert (operation["done"], operation["state"]) == (1, "running")
            work()
        path = f"/api/operations/{operation['id']}"
        until(lambda: get(client, path)["state"] == "stopped", within=60)
        assert len(queue.dead_letters()) == 4
        assert queue.stats()["pending"] == 0

    def test_all_are_discarded_only_if_that_is_confirmed(
        self, client: Client, queue: Queue, path: str
    ) -> None:
        assert client.post(path, data={"deed": "discard"}).status_code == 400
        assert len(queue.dead_letters()) == 4
        client.post(path, data={"deed": "discard", "sure": "yes"})
        assert queue.dead_letters() == []

    @pytest.mark.parametrize("field", ["rate", "stop_after", "canary"])
    def test_numbers_that_are_none_replay_nothing(
        self, client: Client, queue: Queue, path: str, field: str
    ) -> None:
        for number in ("x", "0", "1000000"):
            form = {"deed": "replay", field: number}
            assert client.post(path, data=form).status_code == 400
        assert queue.stats()["pending"] == 0

    def test_discarded_jobs_are_no_longer_listed(self, client: Client, path: str) -> None:
        client.post(path, data={"deed": "discard", "sure": "yes"})
        assert "0 dead · 0 retrying" in words(page(client, path))
        assert "SMTP" not in words(page(client, "/failures"))

    def test_a_group_is_silenced_resolved_and_opened(self, client: Client, path: str) -> None:
        for deed, state in (("silence", "silenced"), ("resolve", "resolved"), ("open", "open")):
            client.post(path, data={"deed": deed})
            assert get(client, f"/api{path}")["state"] == state

    def test_other_deeds_are_refused(self, client: Client, path: str) -> None:
        assert client.post(path, data={"deed": "explode"}).status_code == 400

    def test_who_only_reads_cannot_act(self, queue: Queue, path: str) -> None:
        reader = Client(create_app(queue, read_only=True))
        assert reader.post(path, data={"deed": "one"}).status_code == 403
        assert "Replay" not in words(page(reader, path))


class TestApi:
    def test_groups_and_what_is_done_with_them(self, client: Client, mails: list[str]) -> None:
        [group] = get(client, "/api/failures?state=open&task=send")
        path = f"/api/failures/{group['fingerprint']}"

        assert (group["dead"], group["retrying"]) == (4, 0)
        found = get(client, path)
        assert [job["id"] for job in found["jobs"]] == mails[::-1]
        assert found["jobs"][0]["preview"] == "3, password=***"
        assert found["frames"][-1]["function"].endswith("send")
        assert sum(found["hours"]) == 4
        assert len(post(client, f"{path}/retry", {"most": 1})["new_job_ids"]) == 1
        assert len(post(client, f"{path}/retry", {"most": None})["new_job_ids"]) == 3
        assert post(client, f"{path}/discard") == {"deleted": 0}
        assert client.put(f"{path}/state", json={"state": "resolved"}).json == {
            **group,
            "dead": 0,
            "state": "resolved",
        }
        assert get(client, "/api/failures?state=open") == []

    def test_a_group_is_retried_as_an_operation(
        self, client: Client, queue: Queue, mails: list[str]
    ) -> None:
        path = f"/api/failures/{fingerprint(client)}/retry"
        begun = post(client, path, {"rate": 20, "stop_after": 5}, 202)
        assert (begun["verb"], begun["rate"], begun["stop_after"]) == ("retry", 20, 5)
        until(lambda: get(client, f"/api/operations/{begun['id']}")["state"] == "done", within=60)
        assert queue.stats()["pending"] == len(mails)
        assert [deed["deed"] for deed in get(client, "/api/audit")] == ["retry"]
        for body in (
            {"rate": 0},
            {"stop_after": "1"},
            {"canary": 101},
            {"most": 1, "rate": 1},
            {"most": 1, "canary": 1},
            {"speed": 1},
        ):
            assert "hint" in post(client, path, body, 400)

    def test_a_canary_is_part_of_the_operation(self, client: Client, mails: list[str]) -> None:
        begun = post(client, f"/api/failures/{fingerprint(client)}/retry", {"canary": 2}, 202)
        assert (begun["canary"], begun["done"], begun["state"]) == (2, 2, "running")
        assert begun["waits_until"] > begun["started_at"]
        body = {"verb": "retry", "filter": "state:dead", "canary": 1}
        other = post(client, "/api/operations", body, 202)
        assert (other["canary"], other["total"]) == (1, len(mails))
        for verb in ("cancel", "delete"):
            told = post(client, "/api/operations", {**body, "verb": verb}, 400)
            assert told["hint"] == "only a retry has a canary; leave it out"

    def test_what_is_wrong_is_said(self, client: Client, mails: list[str]) -> None:
        assert mails
        path = f"/api/failures/{fingerprint(client)}"
        assert "state is 'odd'" in get(client, "/api/failures?state=odd", 400)["error"]
        for most in (0, "1", True):
            answer = client.post(f"{path}/retry", json={"most": most})
            assert (answer.status_code, "most is" in answer.text) == (400, True)
        assert client.put(f"{path}/state", json={"state": 1}).status_code == 400
        assert get(client, "/api/failures/x", 404)["error"] == "no group of failures 'x'"


class TestShapes:
    @given(st.one_of(st.text(), st.none()))
    def test_any_text_in_place_of_a_traceback_is_shown_or_passed_over(
        self, text: str | None
    ) -> None:
        assert isinstance(stretches(text), list)

    @given(st.lists(st.integers(0, 10**6), max_size=24))
    def test_bars_stay_in_their_picture(self, counts: list[int]) -> None:
        for bar in bars(counts):
            assert 0 <= bar["x"] < 96
            assert bar["y"] >= 0
            assert bar["y"] + bar["height"] == 20

    @pytest.mark.parametrize(
        ("template", "messages", "parts"),
        [
            ("mx{N}.x", ["mx1.x", "mx2.x", "mx1.x"], [[("1", 2), ("2", 1)]]),
            ("{N} of {N}", ["1 of 2"], [[("1", 1)], [("2", 1)]]),
            ("{N}", ["7"], [[("7", 1)]]),
            ("{N}{str}", ["7'a'"], [[], []]),
            ("nothing", ["nothing"], []),
            ("a {N} b", ["other"], [[]]),
        ],
    )
    def test_what_varies_is_found_between_what_does_not(
        self, template: str, messages: list[str], parts: list[list[tuple[str, int]]]
    ) -> None:
        assert varying(template, messages) == parts

    def test_arguments_are_told_by_their_names_and_places(self) -> None:
        previews = ["7, to='a, b', at=[1, (2, 3)]", "8, to='a, b', at={'x': \"y,'z\"}", "", None]
        found = affected(previews)
        assert [argument.name for argument in found] == ["0", "to", "at"]
        assert found[0].values == [("7", 1), ("8", 1)]
        assert found[1].values == [("'a, b'", 2)]
        assert found[2].values == [("[1, (2, 3)]", 1), ("{'x': \"y,'z\"}", 1)]
        [argument] = affected(str(number) for number in range(20))
        assert (len(argument.values), argument.others) == (8, 12)

    @given(st.lists(st.text() | st.none()))
    def test_any_text_may_stand_for_arguments(self, previews: list[str | None]) -> None:
        assert isinstance(affected(previews), list)

    def test_the_groups_of_a_queue_are_those_of_its_page(
        self, queue: Queue, client: Client, mails: list[str]
    ) -> None:
        assert mails
        [group] = Groups(queue._database).all()
        assert group.fingerprint == fingerprint(client)
