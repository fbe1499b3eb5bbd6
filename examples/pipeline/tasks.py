"""The queue, the tasks of the pipeline, and the workflow that they make up.

Files are passed on by their paths, and only what is small travels through the database.
"""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from taskito import JobResult, Queue, Signature, chain, group

queue = Queue()  # its file is named by the environment variable TASKITO_DB_PATH

Totals: TypeAlias = dict[str, dict[str, int]]
"""Cents by name, for each of ``product``, ``day`` and ``shop``."""

COLUMNS = ["receipt", "day", "product", "quantity", "cents"]


class BadFileError(Exception):
    """The shop has to send its file again. Trying again does not help."""


@queue.task(dont_retry_on=[BadFileError])
def clean(source: str, folder: str) -> str:
    """Write the sales of a file without dirt and without duplicates; return where."""
    path = Path(source)
    with path.open(newline="") as file:
        if next(csv.reader(file), None) != COLUMNS:
            raise BadFileError(f"{path.name} has no header")
        sales = {
            row["receipt"]: row
            for row in csv.DictReader(file, COLUMNS)
            if (row["cents"] or "").isdecimal()
        }
    target = Path(folder) / f"clean-{path.name}"
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(sales.values())
    return str(target)


@queue.task
def summarise(path: str) -> Totals:
    """Add up one clean file."""
    products: Counter[str] = Counter()
    days: Counter[str] = Counter()
    with Path(path).open(newline="") as file:
        for row in csv.DictReader(file):
            products[row["product"]] += int(row["cents"])
            days[row["day"]] += int(row["cents"])
    shop = Path(path).stem.removeprefix("clean-")
    return {"product": dict(products), "day": dict(days), "shop": {shop: products.total()}}


@queue.task
def merge(parts: list[Totals]) -> Totals:
    """Add up the shops."""
    return {
        name: dict(sum((Counter(part[name]) for part in parts), Counter[str]()))
        for name in ("product", "day", "shop")
    }


@queue.task
def write_report(totals: Totals, name: str, folder: str) -> str:
    """Write one table, the largest first; return where."""
    path = Path(folder) / f"by-{name}.csv"
    rows = sorted(totals[name].items(), key=lambda row: (-row[1], row[0]))
    path.write_text("\n".join([f"{name},cents", *(f"{key},{cents}" for key, cents in rows)]))
    return str(path)


@queue.task
def publish(reports: list[str], folder: str) -> str:
    """Write the list of all reports with their checksums; return where."""
    path = Path(folder) / "manifest.json"
    sums = {Path(report).name: digest(report) for report in reports}
    path.write_text(json.dumps(sums, indent=2))
    return str(path)


def start(sources: Iterable[Path], folder: Path) -> JobResult[str]:
    """Store the whole workflow in one transaction; return a handle on its last job.

    Every shop is cleaned and summarised on its own; when all of them are, the totals are
    merged, three reports are written at the same time, and when those are there the list of
    them is published.
    """
    where = str(folder)
    shops = group(_clean_once(source, where) | summarise.s() for source in sources)
    reports = group(write_report.s(name, where) for name in ("product", "day", "shop"))
    return chain(shops, merge.s(), reports, publish.s(where)).apply()


def _clean_once(source: Path, folder: str) -> Signature[str]:
    """The first step of a shop. A file that was cleaned already is not cleaned again.

    The key stands for the content of the file: while there is a job with that key, starting
    the pipeline again stores no other, and the next step takes the result of the one there is.
    """
    key = f"{source.name} {digest(str(source))}"
    return clean.s(str(source), folder).set(idempotency_key=key, metadata=source.stem)


def digest(path: str) -> str:
    """Return a checksum of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
