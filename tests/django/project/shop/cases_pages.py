"""What the admin pages show, with real requests. For Django's test runner."""

import re
from html import escape
from typing import Any

from django.test import override_settings

from taskito.contrib.django.settings import get_queue
from taskito.testing._manual import manual_worker
from tests.django.project.shop import tasks
from tests.django.project.shop.browsing import (
    DEFERRED,
    HOSTILE,
    NOBODY,
    PAGES,
    Pages,
)


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


class OwnSite(See):
    """The same on ``TaskitoAdminSite``."""

    site = "own"

    def test_the_names_of_the_pages_lead_to_their_places(self) -> None:
        assert self.url("taskito_dashboard") == "/own/taskito/"
        assert self.url("taskito_dead_letters") == "/own/taskito/dead-letters/"
