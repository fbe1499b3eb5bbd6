"""The admin pages with real requests. For Django's test runner."""

import re
from html import escape
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client, TestCase, override_settings
from django.urls import reverse

from taskito.contrib.django.settings import get_queue
from taskito.testing._manual import manual_worker
from tests.django.project.shop import tasks
from tests.django.project.shop.emptied import empty_queue

HOSTILE = "</pre><script>alert('ä')</script>{{ 7 }}"
NOBODY = "01a2137f-2856-77a8-834a-554e45dd8392"
PAGES = ("taskito_dashboard", "taskito_jobs", "taskito_dead_letters")


def nobody_acts(_request: HttpRequest, action: str) -> bool:
    return action == "view"


def staff_acts(request: HttpRequest, _action: str) -> bool:
    return bool(getattr(request.user, "is_staff", False))


DEFERRED = settings.TASKS
AT_ONCE = {
    alias: {**backend, "OPTIONS": {**backend.get("OPTIONS", {}), "ENQUEUE_ON_COMMIT": False}}
    for alias, backend in settings.TASKS.items()
}


@override_settings(TASKS=AT_ONCE)
class Pages(TestCase):
    """A test case is one transaction, so the jobs of tests are not to wait for its end."""

    site = "admin"

    def setUp(self) -> None:
        empty_queue(self)
        self.boss = self.browser("boss", is_superuser=True)
        self.clerk = self.browser("clerk")

    def browser(self, name: str, **rights: Any) -> Client:
        """A client that checks CSRF tokens, logged in as a member of the staff."""
        user = User.objects.create_user(name, is_staff=True, **rights)
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        return client

    def url(self, name: str, *args: str) -> str:
        return reverse(f"{self.site}:{name}", args=args)

    def page(self, name: str, *args: str, client: Client | None = None, **query: Any) -> str:
        response = (client or self.boss).get(self.url(name, *args), query)
        assert response.status_code == 200, response.status_code
        return str(response.content.decode())

    def post(self, client: Client, url: str, **data: str) -> Any:
        """Press a button of the page at ``url``, with the token that it has."""
        found = re.search(
            r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(url).content.decode()
        )
        token = {"csrfmiddlewaretoken": found[1]} if found else {}
        return client.post(url, {**token, **data}, follow=True)

    def dead(self) -> str:
        """A job that is dead."""
        result = tasks.fail_once.enqueue()
        with manual_worker(get_queue()) as worker:
            worker.run_until_idle()
        return result.id


class See(Pages):
    def test_the_names_of_the_pages_lead_to_their_places(self) -> None:
        assert self.url("taskito_dashboard") == "/admin/taskito/"
        assert self.url("taskito_jobs") == "/admin/taskito/jobs/"
        assert self.url("taskito_job_detail", NOBODY) == f"/admin/taskito/jobs/{NOBODY}/"
        assert self.url("taskito_dead_letters") == "/admin/taskito/dead-letters/"

    def test_the_index_of_the_admin_leads_to_them(self) -> None:
        index = self.page("index")

        for name in PAGES:
            assert f'href="{self.url(name)}"' in index, name

    def test_an_empty_queue_says_so(self) -> None:
        assert "No job has been enqueued yet." in self.page("taskito_dashboard")
        assert "manage.py taskito_worker" in self.page("taskito_dashboard")
        assert "No job matches." in self.page("taskito_jobs")
        assert "No dead letters." in self.page("taskito_dead_letters")

    def test_the_overview_counts_jobs_and_names_queues(self) -> None:
        tasks.fail_once.using(queue_name="a & b").enqueue()

        page = self.page("taskito_dashboard")

        assert "a &amp; b" in page
        assert f"{self.url('taskito_jobs')}?queue=a%20%26%20b" in page
        assert "No job matches." not in self.page("taskito_jobs", queue="a & b")

    def test_jobs_are_listed_and_filtered(self) -> None:
        one = get_queue().enqueue("one", queue="x")
        two = get_queue().enqueue("two", queue="y")
        get_queue().cancel_job(two.id)

        queries: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
            ({}, [one, two], []),
            ({"status": "pending"}, [one], [two]),
            ({"queue": "y"}, [two], [one]),
            ({"task": "one"}, [one], [two]),
        ]
        for query, shown, hidden in queries:
            page = self.page("taskito_jobs", **query)
            assert all(job.id in page for job in shown), query
            assert not any(job.id in page for job in hidden), query

    def test_lists_are_read_page_by_page(self) -> None:
        jobs = get_queue().enqueue_many("many", [(n,) for n in range(120)], queue="x y")
        seen: list[str] = []
        url, page = self.url("taskito_jobs") + "?queue=x+y", ""
        while url:
            page = self.boss.get(url).content.decode()
            seen += re.findall(r'jobs/([0-9a-f-]{36})/"', page)
            link = re.search(r'href="([^"]*cursor=[^"]*)">Older', page)
            url = link[1].replace("&amp;", "&") if link else ""

        assert seen == [job.id for job in reversed(jobs)]
        assert "Newest" in page

    def test_a_cursor_or_status_that_is_none_is_a_bad_request(self) -> None:
        for name, query in (
            ("taskito_jobs", {"cursor": HOSTILE}),
            ("taskito_jobs", {"status": HOSTILE}),
            ("taskito_dead_letters", {"cursor": HOSTILE}),
        ):
            response = self.boss.get(self.url(name), query)
            assert response.status_code == 400
            assert "<script>alert" not in response.content.decode()

    def test_a_job_is_shown_with_all_that_is_known(self) -> None:
        result = tasks.echo.enqueue({"who": "ann"})
        with manual_worker(get_queue()) as worker:
            waiting = tasks.add.using(queue_name="mail").enqueue(41, b=1)
            get_queue().pause("mail")
            worker.run()

            page = self.page("taskito_job_detail", result.id)
            assert "tests.django.project.shop.tasks.echo: complete" in page
            assert page.count(escape('"who": "ann"')) == 2
            assert "attempt 1 succeeded" in page
            page = self.page("taskito_job_detail", waiting.id)
            assert "41,\nb=1" in page
            assert "Waits because" in page

    def test_a_deferred_enqueue_is_found_by_the_id_of_its_result(self) -> None:
        with override_settings(TASKS=DEFERRED), self.captureOnCommitCallbacks(execute=True):
            result = tasks.add.enqueue(1)
        [job] = get_queue().list_jobs()

        page = self.page("taskito_job_detail", result.id)

        assert job.id != result.id
        assert f"Job {job.id}" in page
        assert result.id in page

    def test_a_pickle_is_not_opened(self) -> None:
        job = tasks.plain.delay(Bomb())

        assert "bytes, not opened here" in self.page("taskito_job_detail", job.id)

    def test_a_job_that_does_not_exist_is_not_found(self) -> None:
        for job_id in (NOBODY, "no id"):
            url = self.url("taskito_job_detail", job_id)
            assert self.boss.get(url).status_code == 404

    def test_hostile_text_is_shown_as_text(self) -> None:
        result = tasks.fail.using(queue_name="mail").enqueue(HOSTILE)
        get_queue().enqueue(HOSTILE, queue=HOSTILE, metadata=HOSTILE, headers={HOSTILE: HOSTILE})
        with manual_worker(get_queue()) as worker:
            worker.run_until_idle()
            [other] = get_queue().list_jobs(task_name=HOSTILE)
            pages = [
                *(self.page(name) for name in PAGES),
                self.page("taskito_jobs", queue=HOSTILE, task=HOSTILE),
                self.page("taskito_job_detail", result.id),
                self.page("taskito_job_detail", other.id),
            ]

        for page in pages:
            assert "<script>alert" not in page
            assert "{{ 7 }}" in page

    def test_a_database_that_cannot_be_used_is_explained(self) -> None:
        get_queue()._database.move("/dev/null/taskito.db")

        for name in PAGES:
            response = self.boss.get(self.url(name))
            assert response.status_code == 503
            assert "/dev/null" in response.content.decode()


class Bomb:
    """Must not be unpickled to show a page."""

    def __reduce__(self) -> Any:
        return _explode, ()


def _explode() -> None:
    raise AssertionError("a page has opened a pickle")


class Act(Pages):
    def test_a_dead_letter_is_retried(self) -> None:
        self.dead()
        [letter] = get_queue().dead_letters()

        page = self.post(
            self.boss, self.url("taskito_dead_letters"), action="retry", id=letter["id"]
        )

        [new] = get_queue().list_jobs("pending")
        assert f"Stored again as job {new.id}" in page.content.decode()
        assert get_queue().dead_letters() == []

    def test_a_dead_letter_is_deleted(self) -> None:
        dead = self.dead()
        [letter] = get_queue().dead_letters()
        url = self.url("taskito_dead_letters")

        self.post(self.boss, url, action="delete", id=letter["id"])
        again = self.boss.get(url)
        token = again.context["csrf_token"]
        gone = self.boss.post(
            url,
            {"action": "delete", "id": letter["id"], "csrfmiddlewaretoken": token},
            follow=True,
        )

        assert get_queue().dead_letters() == []
        assert [job.id for job in get_queue().list_jobs("dead")] == [dead]
        assert "gone already" in gone.content.decode()

    def test_a_dead_job_is_retried_by_its_letter(self) -> None:
        dead = self.dead()

        page = self.post(self.boss, self.url("taskito_job_detail", dead), action="retry")

        [new] = get_queue().list_jobs("pending")
        assert page.redirect_chain[-1][0] == self.url("taskito_job_detail", new.id)
        assert get_queue().dead_letters() == []

    def test_a_finished_job_is_stored_once_more(self) -> None:
        result = tasks.add.using(queue_name="mail").enqueue(1)
        get_queue().cancel_job(result.id)

        self.post(self.boss, self.url("taskito_job_detail", result.id), action="retry")

        [new] = get_queue().list_jobs("pending")
        assert get_queue().replay_history(result.id)[0]["replay_job_id"] == new.id

    def test_a_pending_job_is_cancelled(self) -> None:
        job = get_queue().enqueue("anything")
        url = self.url("taskito_job_detail", job.id)

        self.post(self.boss, url, action="cancel")
        page = self.post(self.boss, url, action="cancel")

        assert job.status == "cancelled"
        assert "ended already" in page.content.decode()

    def test_a_job_that_has_not_ended_is_not_retried(self) -> None:
        job = get_queue().enqueue("anything")

        page = self.post(self.boss, self.url("taskito_job_detail", job.id), action="retry")

        assert "Only finished jobs" in page.content.decode()
        assert get_queue().stats()["pending"] == 1

    def test_an_action_that_does_not_exist_is_named(self) -> None:
        job = get_queue().enqueue("anything")

        for url in (self.url("taskito_job_detail", job.id), self.url("taskito_dead_letters")):
            token = self.boss.get(self.url("taskito_job_detail", job.id)).context["csrf_token"]
            page = self.boss.post(
                url, {"action": HOSTILE, "csrfmiddlewaretoken": token}, follow=True
            ).content.decode()
            assert "There is no action" in page
            assert "<script>alert" not in page


class Rights(Pages):
    def test_strangers_are_sent_to_the_login(self) -> None:
        User.objects.create_user("customer")
        customer = Client()
        customer.force_login(User.objects.get(username="customer"))
        for client in (Client(), customer):
            for name in PAGES:
                response = client.get(self.url(name))
                assert response.status_code == 302
                assert "/login/" in response["Location"]

    def test_staff_sees_and_finds_no_buttons(self) -> None:
        dead = self.dead()
        for page in (
            self.page("taskito_dead_letters", client=self.clerk),
            self.page("taskito_job_detail", dead, client=self.clerk),
        ):
            assert dead in page
            assert 'name="action"' not in page

    def test_staff_does_not_act(self) -> None:
        job = get_queue().enqueue("anything")
        for url in (self.url("taskito_job_detail", job.id), self.url("taskito_dead_letters")):
            token = self.clerk.get(self.url("taskito_dashboard")).context["csrf_token"]
            response = self.clerk.post(url, {"action": "cancel", "csrfmiddlewaretoken": token})
            assert response.status_code == 403
        assert job.status == "pending"

    def test_without_a_token_nothing_is_done(self) -> None:
        job = get_queue().enqueue("anything")

        response = self.boss.post(self.url("taskito_job_detail", job.id), {"action": "cancel"})

        assert response.status_code == 403
        assert job.status == "pending"

    def test_a_setting_decides_who_acts(self) -> None:
        job = get_queue().enqueue("anything")
        url = self.url("taskito_job_detail", job.id)
        with override_settings(TASKITO_AUTHORIZE=f"{__name__}.nobody_acts"):
            assert 'name="action"' not in self.page("taskito_job_detail", job.id)
        with override_settings(TASKITO_AUTHORIZE=staff_acts):
            self.post(self.clerk, url, action="cancel")
        with override_settings(TASKITO_AUTHORIZE=lambda _request, _action: False):
            assert self.boss.get(url).status_code == 403
            assert "Background jobs" not in self.page("index")

        assert job.status == "cancelled"

    def test_a_get_request_changes_nothing(self) -> None:
        job = get_queue().enqueue("anything")

        self.page("taskito_job_detail", job.id, action="cancel")

        assert job.status == "pending"
        assert self.boss.put(self.url("taskito_jobs")).status_code in {403, 405}


class OwnSite(See):
    """The same on ``TaskitoAdminSite``."""

    site = "own"

    def test_the_names_of_the_pages_lead_to_their_places(self) -> None:
        assert self.url("taskito_dashboard") == "/own/taskito/"
        assert self.url("taskito_dead_letters") == "/own/taskito/dead-letters/"
