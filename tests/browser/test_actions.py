"""Every button does what it says: groups of failures, operations, workflows, schedules."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from werkzeug.test import EnvironBuilder

import taskito_dashboard
from taskito import Signature, TaskWrapper, chain
from taskito._groups import Groups
from taskito_dashboard.routes import TABLE
from tests.browser.conftest import HERE, SHOP, Shop
from tests.browser.visitor import PRESSED, Visitor
from tests.support.processes import STARTING
from tests.support.until import until

TEMPLATES = Path(taskito_dashboard.__file__).parent / "templates"
ACTION = ("action", "POST")
_FORM = re.compile(
    r'<form [^>]*method="post" action="\{\{ url\(([^{}]*)\) \}\}">(.*?)</form>', re.DOTALL
)
_DEED = re.compile(r'name="deed" value="([a-z-]+)"')


@pytest.fixture
def declines(shop: Shop) -> Iterator[Path]:
    """Cards are declined until this file is gone."""
    file = shop.site.home / "declines"
    file.touch()
    yield file
    file.unlink(missing_ok=True)


def die(shop: Shop, number: int) -> str:
    """Let so many jobs die for the same reason; the fingerprint of their group."""
    letters = len(shop.queue.dead_letters(task_name="charge_card"))
    shop.queue.enqueue_many("charge_card", [(card,) for card in range(number)])

    def fingerprint() -> str:
        dead = shop.queue.dead_letters(task_name="charge_card")
        assert len(dead) == letters + number, dead
        [group] = Groups(shop.queue._database).all(task="charge_card")
        return group.fingerprint

    return until(fingerprint, within=4 * STARTING)


def button(visitor: Visitor, name: str | re.Pattern[str]) -> Locator:
    return visitor.page.get_by_role("main").get_by_role("button", name=name, exact=True)


def fold_out(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("main").locator("summary", has_text=name).click()


class TestGroup:
    def test_all_are_replayed_in_one_press_after_one_has_completed(
        self, visitor: Visitor, shop: Shop, declines: Path
    ) -> None:
        visitor.go(f"/failures/{die(shop, 3)}")
        declines.unlink()
        fold_out(visitor, "Replay 3…")
        expect(visitor.page.get_by_label("first, as a canary")).to_have_value("1")
        visitor.page.get_by_label("at most per second").fill("50")
        button(visitor, "Replay all").click()

        expect(visitor.page.locator("h1")).to_contain_text("Retry all that match")
        expect(visitor.page.locator("h1")).to_contain_text("Done")
        expect(visitor.page.locator("#canary")).to_contain_text("It completed")
        expect(visitor.page.locator("#canary tbody tr")).to_contain_text("Completed")
        expect(visitor.page.locator("#progress")).to_contain_text("at most 50/s")
        assert shop.queue.dead_letters(task_name="charge_card") == []

    def test_a_canary_that_fails_leaves_the_others_alone(
        self, visitor: Visitor, shop: Shop, declines: Path
    ) -> None:
        visitor.go(f"/failures/{die(shop, 3)}")
        fold_out(visitor, "Replay 3…")
        button(visitor, "Replay all").click()

        expect(visitor.page.locator("h1")).to_contain_text("Stopped")
        expect(visitor.page.locator("#canary")).to_contain_text("The others were left alone.")
        expect(visitor.page.locator("#canary tbody tr")).to_contain_text("Dead")
        expect(visitor.page.locator("#progress")).to_contain_text("the canary failed")
        assert declines.exists()
        assert len(shop.queue.dead_letters(task_name="charge_card")) == 3
        shop.queue.purge_dead(0, task_name="charge_card")

    def test_it_is_judged_and_discarded(self, visitor: Visitor, shop: Shop, declines: Path) -> None:
        assert declines.exists()
        group = f"/failures/{die(shop, 2)}"
        visitor.go(group)
        state = visitor.page.locator("#headline .tag")
        for name, told in (("Silence", "silenced"), ("Resolve", "resolved")):
            button(visitor, name).click()
            expect(state).to_have_text(told)
        button(visitor, "Open").click()
        expect(state).to_have_count(0)
        declines.unlink()
        button(visitor, "Replay 1").click()
        expect(visitor.page.locator(".notice[role=status]")).to_contain_text("1 job retried")
        expect(visitor.page.locator("h1")).to_contain_text("Completed")
        visitor.go(group)
        fold_out(visitor, "Discard 1…")
        visitor.page.get_by_label("yes, the jobs stay dead").check()
        button(visitor, "Discard all").click()

        expect(visitor.page.locator("#headline")).to_contain_text("0 dead")
        assert shop.queue.dead_letters(task_name="charge_card") == []

    def test_the_list_leads_to_what_can_be_done(
        self, visitor: Visitor, shop: Shop, declines: Path
    ) -> None:
        die(shop, 2)
        declines.unlink()
        visitor.go("/failures?by=last")
        line = visitor.page.locator(".groups tbody", has_text="charge_card")
        line.get_by_role("button", name="Replay 1", exact=True).click()
        expect(visitor.page.locator(".notice[role=status]")).to_contain_text("1 job retried")
        visitor.go("/failures?task=charge_card")
        line.get_by_role("link", name="Replay 1…").click()
        # The browser folds out what the address names.
        expect(button(visitor, "Replay all")).to_be_visible()
        visitor.page.go_back()
        line.get_by_role("link", name="Discard…").click()
        expect(button(visitor, "Discard all")).to_be_visible()
        shop.queue.purge_dead(0, task_name="charge_card")


def test_letters_are_retried_and_removed(visitor: Visitor, shop: Shop, declines: Path) -> None:
    die(shop, 4)
    declines.unlink()
    visitor.go("/failures?task=charge_card")
    rows = visitor.page.locator("#list tbody tr")
    notice = visitor.page.locator(".notice[role=status]")
    for left, name, told in ((3, "Retry", "1 job retried"), (2, "Remove", "1 job removed")):
        rows.first.locator('[name="ids"]').check()
        visitor.page.locator("#bulk").get_by_role("button", name=name, exact=True).click()
        expect(notice).to_contain_text(told)
        expect(rows).to_have_count(left)
    visitor.page.get_by_role("link", name="Retry all that match…").click()
    expect(visitor.page.locator("h1")).to_have_text("Retry all that match")
    expect(button(visitor, "Retry 2 jobs")).to_be_visible()
    visitor.page.go_back()
    fold_out(visitor, "Remove all that match…")
    visitor.page.get_by_label("yes, all that match").check()
    visitor.page.get_by_label("older than").select_option("0")
    button(visitor, "Remove all").click()

    expect(notice).to_contain_text("2 jobs removed")
    expect(visitor.page.locator("#list")).to_contain_text("No dead letters match")


class TestOperation:
    def test_all_that_match_are_cancelled_until_somebody_stops_it(
        self, visitor: Visitor, shop: Shop
    ) -> None:
        shop.queue.enqueue_many("operated", [()] * 60, delay=3600)
        visitor.go("/jobs?task=operated")
        fold_out(visitor, "Select all 60 that match")
        button(visitor, "Cancel all 60…").click()
        expect(visitor.page.locator("h1")).to_have_text("Cancel all that match")
        visitor.page.get_by_label("At most per second").fill("1")
        button(visitor, "Cancel 60 jobs").click()
        expect(visitor.page.locator("h1")).to_contain_text("Running")
        through = visitor.page.locator("#progress dd").nth(2)
        expect(through.locator("progress")).to_be_visible()
        expect(through).to_contain_text(re.compile(r"[2-9] of 60"))
        button(visitor, "Stop").click()

        expect(visitor.page.locator("h1")).to_contain_text("Stopped")
        expect(visitor.page.locator("#progress")).to_contain_text("stopped by dashboard")
        button(visitor, "Undo").click()
        expect(visitor.page.locator(".notice[role=status]")).to_contain_text("taken back")
        assert shop.queue.count_jobs("pending", task_name="operated") == 60

    def test_ticked_and_matching_jobs_are_retried_and_deleted(
        self, visitor: Visitor, shop: Shop
    ) -> None:
        for job in shop.queue.enqueue_many("finished", [()] * 4, delay=3600):
            shop.queue.cancel_job(job.id)
        place = "/jobs?task=finished&status=cancelled"
        visitor.go(place)
        tick = visitor.page.locator('#list [name="ids"]').first
        tick.check()
        button(visitor, "Retry").click()
        expect(visitor.page.locator(".notice[role=status]")).to_contain_text("1 job retried")
        tick.check()
        button(visitor, "Delete…").click()
        expect(button(visitor, "Delete 1 job")).to_be_visible()
        visitor.go(place)
        fold_out(visitor, "Select all 4 that match")
        button(visitor, "Retry all 4…").click()
        expect(visitor.page.get_by_label("Stop after so many failed")).to_have_value("5")
        visitor.go(place)
        fold_out(visitor, "Select all 4 that match")
        button(visitor, "Delete all 4…").click()
        visitor.page.get_by_label("Type delete to confirm").fill("delete")
        button(visitor, "Delete 4 jobs").click()

        expect(visitor.page.locator("h1")).to_contain_text("Done")
        assert shop.queue.count_jobs("cancelled", task_name="finished") == 0


def step(shop: Shop, name: str, *args: object) -> Signature[Any]:
    """A step of a workflow that the shop may run."""
    task: TaskWrapper[..., Any] = shop.queue.task(name=name, max_retries=0)(print)
    return task.si(*args)


class TestWorkflow:
    def test_what_failed_is_retried(self, visitor: Visitor, shop: Shop, declines: Path) -> None:
        first = step(shop, "charge_card", 7)
        chain(first, step(shop, "add", 1, 2)).apply(shop.queue)
        until(lambda: shop.queue.dead_letters(task_name="charge_card"), within=4 * STARTING)
        workflow = shop.queue.dead_letters(task_name="charge_card")[0]["original_job_id"]
        visitor.go(f"/workflows/{workflow}")
        expect(visitor.page.locator("h1")).to_contain_text("Dead")
        declines.unlink()
        button(visitor, "Retry failed").click()

        expect(visitor.page.locator(".notice[role=status]")).to_contain_text("2 jobs stored")
        expect(visitor.page.locator("#progress")).to_contain_text("2 of 2 jobs complete")
        assert shop.queue.dead_letters(task_name="charge_card") == []

    def test_what_waits_is_cancelled(self, visitor: Visitor, shop: Shop) -> None:
        steps = [step(shop, name) for name in ("nobody_runs", "after_nobody")]
        chain(*steps).apply(shop.queue)
        [job] = shop.queue.list_jobs(task_name="nobody_runs")
        visitor.go(f"/workflows/{job.id}")
        button(visitor, "Cancel").click()

        expect(visitor.page.locator("h1")).to_contain_text("Cancelled")
        assert shop.queue.count_jobs("pending", task_name="after_nobody") == 0


def test_a_schedule_is_deleted(visitor: Visitor) -> None:
    visitor.go("/schedules")
    row = visitor.page.locator("tbody tr", has_text="to_be_deleted")
    row.locator("summary").click()
    row.get_by_label("delete it").check()
    row.get_by_role("button", name="Delete", exact=True).click()

    expect(visitor.page.locator("h1")).to_have_text("Schedules")
    expect(row).to_have_count(0)


def test_a_worker_is_drained(visitor: Visitor, shop: Shop) -> None:
    worker = shop.site.taskito("worker", *SHOP, "--queues", "leaving")
    visitor.go("/workers")
    row = visitor.page.locator("#list tbody tr", has_text=f":{worker.pid}")
    expect(row).to_contain_text("active", timeout=STARTING * 1000)
    row.get_by_role("button", name="Drain", exact=True).click()

    expect(visitor.page.locator(".notice[role=status]")).to_contain_text("and leaves")
    assert worker.wait(STARTING) == 0
    expect(row).to_have_count(0)


def test_a_job_is_retried_on_its_page(visitor: Visitor, shop: Shop, declines: Path) -> None:
    die(shop, 1)
    declines.unlink()
    visitor.go(f"/jobs/{shop.queue.dead_letters(task_name='charge_card')[0]['original_job_id']}")
    button(visitor, "Retry").click()

    expect(visitor.page.locator(".notice[role=status]")).to_contain_text("1 job retried")
    expect(visitor.page.locator("h1")).to_contain_text("Completed")


class TestEnqueue:
    def test_a_call_is_made_with_a_form(self, visitor: Visitor, shop: Shop) -> None:
        visitor.go("/tasks/add")
        visitor.page.get_by_role("link", name="Enqueue…").click()
        visitor.page.get_by_label("a", exact=True).fill("20")
        visitor.page.get_by_label("b", exact=True).fill("22")
        button(visitor, "Enqueue").click()

        expect(visitor.page.locator("h1")).to_contain_text("add(a=20, b=22)")
        expect(visitor.page.locator("#result")).to_contain_text("42")
        assert shop.queue.list_jobs(task_name="add", limit=1)[0].result() == 42

    def test_what_was_typed_and_what_is_wrong_stay_until_it_is_right(
        self, visitor: Visitor
    ) -> None:
        visitor.go("/tasks/total/enqueue")
        visitor.page.get_by_label("parts").fill("[1, 2")
        with visitor.page.expect_navigation():
            button(visitor, "Enqueue").click()
        # The browser itself notes the status in the console.
        visitor.complaints.clear()
        told = visitor.page.locator("#form")
        expect(told).to_contain_text("parts is no JSON")
        with visitor.page.expect_response(
            lambda response: response.request.resource_type in {"fetch", "xhr"}
        ):
            visitor.page.wait_for_load_state()
        expect(told).to_contain_text("parts is no JSON")
        expect(visitor.page.get_by_label("parts")).to_have_value("[1, 2")
        visitor.page.get_by_label("parts").fill("[1, 2]")
        button(visitor, "Enqueue").click()
        expect(visitor.page.locator("h1")).to_contain_text("total(parts=[1, 2])")

    def test_a_dead_job_is_made_anew_with_other_arguments(
        self, visitor: Visitor, shop: Shop
    ) -> None:
        visitor.go(f"/jobs/{shop.jobs['dead']}")
        visitor.page.get_by_role("link", name="Retry with edited args…").click()
        expect(visitor.page.get_by_label("template")).to_have_value("welcome")
        visitor.page.get_by_label("user_id").fill("5")
        button(visitor, "Enqueue").click()
        expect(visitor.page.locator("h1")).to_contain_text("send_email(user_id=5")


def test_the_ready_jobs_of_a_queue_are_cancelled(visitor: Visitor, shop: Shop) -> None:
    shop.queue.enqueue_many("nobody", [()] * 3, queue="to_be_emptied")
    visitor.go("/queues")
    row = visitor.page.locator("tbody tr", has_text="to_be_emptied")
    row.get_by_role("link", name="Cancel ready…").click()
    button(visitor, "Cancel 3 jobs").click()
    expect(visitor.page.locator("h1")).to_contain_text("Done")
    assert shop.queue.count_jobs("cancelled", queue="to_be_emptied") == 3


def test_a_job_is_run_before_its_time(visitor: Visitor, shop: Shop) -> None:
    job = shop.queue.enqueue("add", (20, 22), delay=3600)
    visitor.go(f"/jobs/{job.id}")
    expect(visitor.page.locator("#why")).to_contain_text("it is due at")
    button(visitor, "Run now").click()

    expect(visitor.page.locator(".notice[role=status]")).to_contain_text("1 job due now")
    expect(visitor.page.locator("h1")).to_contain_text("Completed")
    expect(visitor.page.locator("#result")).to_contain_text("42")


def test_times_are_told_by_the_clock(visitor: Visitor) -> None:
    visitor.go("/jobs")
    told = visitor.page.locator("#list time").first
    expect(told).to_have_text(re.compile(r"ago$|^now$"))
    visitor.page.get_by_role("link", name="Clock", exact=True).click()
    expect(told).to_have_text(re.compile(r"^\d\d:\d\d:\d\d \w+$"))
    visitor.page.get_by_role("link", name="Ages", exact=True).click()
    expect(told).to_have_text(re.compile(r"ago$|^now$"))


def route_of(path: str) -> str:
    """The route that a form is sent to."""
    request = EnvironBuilder(path=path, method="POST").get_request()
    return str(TABLE.bind(request).match()[0].path)


def path_of(parts: str) -> str:
    """An address that ``url(...)`` of a template may give: names are any."""
    return "/".join(
        ["", *(part.strip(' "') if '"' in part else "any" for part in parts.split(","))]
    )


def deeds() -> set[tuple[str, str]]:
    """Where forms of pages are sent to, and by which button, where a form has several."""
    found = {(route.path, "") for route in TABLE.routes if (route.kind, route.method) == ACTION}
    for template in TEMPLATES.glob("*.html"):
        for parts, body in _FORM.findall(template.read_text()):
            if names := _DEED.findall(body):
                route = route_of(path_of(parts))
                found.discard((route, ""))
                found |= {(route, name) for name in names}
    return found


@pytest.mark.usefixtures("browser")
def test_every_button_was_pressed(request: pytest.FixtureRequest) -> None:
    """By the tests before it, so it is the last one: see ``conftest.py``."""
    files = {item.path for item in request.session.items}
    if request.config.option.keyword or not files.issuperset(HERE.glob("test_*.py")):
        pytest.skip("only a part of the tests of the browser was run")
    wanted = deeds()
    assert {("/jobs", "delete-all"), ("/queues/<name:name>/limits", "")} <= wanted
    assert wanted - {(route_of(path), name) for path, name in PRESSED} == set()
