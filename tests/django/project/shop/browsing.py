"""The admin as people see it, for the tests of its pages."""

import re
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
