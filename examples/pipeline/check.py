"""Whether the reports say what happened: held against the sales as they were made up."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from examples.pipeline.sales import Shop


def truth(shops: Iterable[Shop]) -> dict[str, Counter[str]]:
    """Add up all sales in a plain loop, from memory and not from any file."""
    totals = {name: Counter[str]() for name in ("product", "day", "shop")}
    for shop in shops:
        for sale in shop.sales:
            totals["product"][sale.product] += sale.cents
            totals["day"][sale.day] += sale.cents
            totals["shop"][shop.name] += sale.cents
    return totals


def differences(
    shops: Iterable[Shop], manifest: Path | None, cleaned: Mapping[str, int]
) -> list[str]:
    """Return one sentence for everything that is not as it must be; none is good.

    Args:
        shops: what was sold.
        manifest: what was published, or ``None``.
        cleaned: how often the file of each shop was cleaned.
    """
    shops = list(shops)
    if manifest is None:
        return ["nothing was published"]
    return [*_wrong_reports(truth(shops), manifest), *_wrong_work(shops, cleaned)]


def _wrong_reports(expected: Mapping[str, Counter[str]], manifest: Path) -> Iterator[str]:
    sums: dict[str, str] = json.loads(manifest.read_text())
    for name, totals in expected.items():
        path = manifest.parent / f"by-{name}.csv"
        if hashlib.sha256(path.read_bytes()).hexdigest() != sums.get(path.name):
            yield f"the checksum of {path.name} is wrong"
        with path.open(newline="") as file:
            rows = [(row[name], int(row["cents"])) for row in csv.DictReader(file)]
        if dict(rows) != totals:
            yield f"{path.name} does not add up"
        if rows != sorted(rows, key=lambda row: (-row[1], row[0])):
            yield f"{path.name} is not in order"
    for unknown in sums.keys() - {f"by-{name}.csv" for name in expected}:
        yield f"{unknown} should not be there"


def _wrong_work(shops: Iterable[Shop], cleaned: Mapping[str, int]) -> Iterator[str]:
    for shop in shops:
        if cleaned.get(shop.name) != 1:
            yield f"{shop.name} was cleaned {cleaned.get(shop.name, 0)} times instead of once"
