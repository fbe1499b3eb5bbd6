"""The async fetcher of the examples, run as anyone would run it."""

import dataclasses
from pathlib import Path

import pytest
from examples.fetcher import documents
from examples.fetcher.check import Fetched, differences
from examples.fetcher.documents import Document
from examples.fetcher.server import Tally

from tests.support import examples

REQUESTS = 300


class TestFetcher:
    def test_it_fetches_everything_at_once_and_cancels_what_takes_long(self) -> None:
        found = examples.document("fetcher", "--requests", str(REQUESTS))

        assert found["check"] == {"agrees": True, "differences": []}
        assert found["complete"] == REQUESTS - 5
        assert found["requests"] >= REQUESTS
        assert found["peak"] >= 20, "many at once, however slow the machine"
        assert len(found["cancelled"]) == 5
        assert all(2 <= progress < 100 for progress in found["cancelled"].values())

    def test_the_table_says_what_happened_and_that_the_check_agrees(self) -> None:
        done = examples.run("fetcher", "--requests", "40")

        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "fetched    35 documents" in done.stdout
        assert "5 connections closed" in done.stdout
        assert "✓ every checksum is right" in done.stdout

    def test_interrupting_it_stops_its_worker(self, tmp_path: Path) -> None:
        examples.interrupt("fetcher", "--requests", "20000", folder=tmp_path)


class TestCheck:
    @pytest.fixture
    def offer(self) -> list[Document]:
        return documents.make(20, long=1, seed=1)

    @pytest.fixture
    def fetched(self, offer: list[Document]) -> dict[str, Fetched]:
        return {
            d.path: Fetched(checksum=None, status="cancelled", progress=2, attempts=1)
            if d.is_long
            else Fetched(checksum=d.checksum, status="complete", progress=100, attempts=1)
            for d in offer
        }

    @pytest.fixture
    def tally(self, offer: list[Document]) -> Tally:
        long = tuple(d.path for d in offer if d.is_long)
        return Tally(requests=len(offer), peak=10, unfinished=0, broken_off=long)

    def test_a_perfect_run_has_no_differences(
        self, offer: list[Document], tally: Tally, fetched: dict[str, Fetched]
    ) -> None:
        assert differences(offer, tally, fetched, at_once=10) == []

    def test_it_notices_what_was_not_fetched_rightly(
        self, offer: list[Document], tally: Tally, fetched: dict[str, Fetched]
    ) -> None:
        wrong, dead, half = [d.path for d in offer if not d.is_long][:3]
        (long,) = [d.path for d in offer if d.is_long]
        fetched[wrong] = dataclasses.replace(fetched[wrong], checksum="0")
        fetched[dead] = dataclasses.replace(fetched[dead], status="dead")
        fetched[half] = dataclasses.replace(fetched[half], progress=50)
        fetched[long] = dataclasses.replace(fetched[long], status="complete", progress=100)

        assert differences(offer, tally, fetched, at_once=10) == [
            f"the checksum of {wrong} is wrong",
            f"{dead} is dead",
            f"{half} was complete at 50 %",
            f"{long} is complete at 100 %",
        ]

    def test_it_notices_what_the_server_counted(
        self, offer: list[Document], tally: Tally, fetched: dict[str, Fetched]
    ) -> None:
        tally = Tally(requests=21, peak=12, unfinished=1, broken_off=())

        assert differences(offer, tally, fetched, at_once=10) == [
            "1 connections are still open",
            "0 connections ended early instead of 1",
            "21 requests by 20 attempts",
            "12 requests at once, 10 allowed",
        ]
