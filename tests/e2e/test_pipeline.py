"""The pipeline of the examples, run as anyone would run it."""

import json
from collections import Counter
from pathlib import Path

import pytest
from examples.pipeline.check import differences, truth
from examples.pipeline.sales import Shop

from tests.support import examples

SHOPS, SALES = 8, 200
SMALL = ("--shops", str(SHOPS), "--sales", str(SALES))


class TestPipeline:
    def test_it_goes_on_where_it_failed_once_broken_files_are_mended(self) -> None:
        found = examples.document("pipeline", *SMALL, "--broken", "2")

        assert found["check"] == {"agrees": True, "differences": []}
        first, second = found["runs"]
        assert first["jobs"] == 2 * SHOPS + 5
        assert (first["dead"], first["cancelled"], first["published"]) == (2, 7, False)
        assert "BadFileError: shop-0" in first["culprit"]
        assert second["jobs"] == SHOPS + 2 + 5, "what was cleaned is not cleaned again"
        assert (second["dead"], second["cancelled"], second["published"]) == (0, 0, True)
        totals = {sum(report.values()) for report in found["reports"].values()}
        assert len(totals) == 1
        assert len(found["reports"]["shop"]) == SHOPS

    def test_without_broken_files_it_runs_once(self) -> None:
        found = examples.document("pipeline", *SMALL, "--broken", "0", "--seed", "7")

        assert found["check"]["agrees"]
        [only] = found["runs"]
        assert (only["jobs"], only["published"]) == (2 * SHOPS + 5, True)

    def test_the_table_says_who_is_to_blame_and_that_the_check_agrees(self) -> None:
        done = examples.run("pipeline", *SMALL, "--broken", "1", "--workers", "1")

        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert "because of shop-00: examples.pipeline.tasks.BadFileError" in done.stdout
        assert "run 2      published: 14 jobs stored" in done.stdout
        assert "✓ the reports add up to all 1,600 sales; no file was cleaned twice" in done.stdout

    def test_interrupting_it_stops_its_workers(self, tmp_path: Path) -> None:
        much = ("--shops", "2000", "--sales", "400", "--workers", "1")
        examples.interrupt("pipeline", *much, folder=tmp_path)

    @pytest.mark.parametrize("broken", ["-1", "9"])
    def test_more_broken_files_than_shops_are_a_usage_error(self, broken: str) -> None:
        done = examples.run("pipeline", *SMALL, "--broken", broken)

        assert done.returncode == 2
        assert "--broken must be between 0 and the number of shops" in done.stderr


class TestCheck:
    @pytest.fixture
    def shops(self) -> list[Shop]:
        return [Shop(f"shop-{number}", SALES, seed=1) for number in range(3)]

    @pytest.fixture
    def manifest(self, shops: list[Shop], tmp_path: Path) -> Path:
        """What the pipeline publishes, written here without it."""
        from examples.pipeline.tasks import digest, publish, write_report

        totals = {name: dict(counts) for name, counts in truth(shops).items()}
        reports = [write_report(totals, name, str(tmp_path)) for name in totals]
        assert all(digest(report) for report in reports)
        return Path(publish(reports, str(tmp_path)))

    @pytest.fixture
    def cleaned(self, shops: list[Shop]) -> Counter[str]:
        return Counter(shop.name for shop in shops)

    def test_perfect_reports_have_no_differences(
        self, shops: list[Shop], manifest: Path, cleaned: Counter[str]
    ) -> None:
        assert differences(shops, manifest, cleaned) == []

    def test_it_notices_that_nothing_was_published(
        self, shops: list[Shop], cleaned: Counter[str]
    ) -> None:
        assert differences(shops, None, cleaned) == ["nothing was published"]

    def test_it_notices_a_number_that_is_wrong(
        self, shops: list[Shop], manifest: Path, cleaned: Counter[str]
    ) -> None:
        path = manifest.parent / "by-day.csv"
        lines = path.read_text().splitlines()
        path.write_text("\n".join([lines[0], *lines[2:]]))

        assert differences(shops, manifest, cleaned) == [
            "the checksum of by-day.csv is wrong",
            "by-day.csv does not add up",
        ]

    def test_it_notices_reports_out_of_order_and_reports_too_many(
        self, shops: list[Shop], manifest: Path, cleaned: Counter[str]
    ) -> None:
        path = manifest.parent / "by-shop.csv"
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header, *reversed(rows)]))
        sums = json.loads(manifest.read_text()) | {"by-moon.csv": ""}
        manifest.write_text(json.dumps(sums))

        assert differences(shops, manifest, cleaned) == [
            "the checksum of by-shop.csv is wrong",
            "by-shop.csv is not in order",
            "by-moon.csv should not be there",
        ]

    def test_it_notices_work_that_was_done_twice_or_not_at_all(
        self, shops: list[Shop], manifest: Path, cleaned: Counter[str]
    ) -> None:
        cleaned["shop-0"] = 2
        del cleaned["shop-1"]

        assert differences(shops, manifest, cleaned) == [
            "shop-0 was cleaned 2 times instead of once",
            "shop-1 was cleaned 0 times instead of once",
        ]

    def test_files_arrive_with_dirt_that_does_not_count(
        self, shops: list[Shop], tmp_path: Path
    ) -> None:
        from examples.pipeline.tasks import clean, summarise

        path = shops[0].send(tmp_path, broken=False)
        assert len(path.read_text().splitlines()) > SALES + 1

        totals = summarise(clean(str(path), str(tmp_path)))
        assert totals["shop"] == {"shop-0": sum(sale.cents for sale in shops[0].sales)}
