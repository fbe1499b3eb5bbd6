"""Instants in the time zone that a browser has chosen."""

import re
from datetime import timedelta, timezone

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard.words import iso, machine
from tests.dashboard.asking import get, page

AT = 1_764_071_512_936


def test_an_instant_names_its_zone() -> None:
    assert iso(AT) == "2025-11-25 11:51:52.936 UTC"
    assert iso(AT, timezone(timedelta(hours=2), "EET")) == "2025-11-25 13:51:52.936 EET"
    assert machine(AT) == "2025-11-25T11:51:52.936Z"


class TestChoosing:
    def test_pages_are_in_the_chosen_zone_until_another_is_chosen(
        self, client: Client, queue: Queue
    ) -> None:
        job = queue.enqueue("add", (1, 2))
        utc = client.get(f"/jobs/{job.id}")
        answer = client.get("/zone?set=Asia/Tokyo&back=/jobs?task=add")
        assert (answer.status_code, answer.location) == (303, "/jobs?task=add")

        tokyo = page(client, f"/jobs/{job.id}")
        assert re.search(r"\d\d:\d\d:\d\d\.\d{3} JST", tokyo)
        shown, copies = tokyo.split('id="copy"')
        assert not re.search(r"\.\d{3} UTC", shown)
        assert "UTC" in copies, "what leaves the browser says the same to everybody"
        assert client.get(f"/jobs/{job.id}").headers["ETag"] != utc.headers["ETag"]

        client.get("/zone?set=UTC")
        assert re.search(r"\.\d{3} UTC", page(client, f"/jobs/{job.id}"))

    @pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "%00"])
    def test_an_unknown_zone_is_refused(self, client: Client, name: str) -> None:
        told = client.get(f"/zone?set={name}", headers={"Accept": "application/json"})

        assert told.status_code == 400
        assert told.json is not None
        assert "Europe/Berlin" in told.json["hint"]

    def test_a_cookie_with_an_unknown_zone_means_utc(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add")
        client.set_cookie("taskito_dashboard_zone", "Mars/Olympus")

        assert 'aria-current="true">UTC</a>' in page(client, "/jobs")

    def test_nobody_is_led_to_another_site(self, client: Client) -> None:
        assert client.get("/zone?set=UTC&back=//evil.example/").location == "/"

    def test_documents_do_not_change(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add")
        before = get(client, f"/api/jobs/{job.id}")
        client.get("/zone?set=Asia/Tokyo")

        assert get(client, f"/api/jobs/{job.id}") == before
