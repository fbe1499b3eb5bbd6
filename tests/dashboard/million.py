"""How long pages and lists take with a million jobs: ``python -m tests.dashboard.million``.

Prints the processor time that the server needs for each address, and the time that goes by until
the answer is there, without a network. Ends with 1 when any of the former is over 50 ms in more
than one of 20 requests; the first request, which fills caches, does not count.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from werkzeug.test import Client

from taskito import Queue
from taskito._groups import Groups
from taskito_dashboard import create_app
from taskito_dashboard.rollups import RANGES
from tests.dashboard.seeding import WIDE, seed

BUDGET_MS = 50.0


def addresses(queue: Queue, client: Client) -> list[str]:
    """All pages and lists, and one of each thing."""
    newest = queue.list_jobs(limit=1)[0].id
    group = Groups(queue._database).failing(1)[0].fingerprint
    dead = queue.dead_letters(1)[0]["original_job_id"]
    older = client.get("/api/jobs?limit=500").headers["X-Next-Cursor"]
    rows = client.get("/api/workflows?limit=500").json or []
    wide = next((row["id"] for row in rows if row["jobs"] >= WIDE), rows[0]["id"])
    return [
        "/",
        *(f"/?t={name}" for name in RANGES),
        "/jobs",
        "/jobs?status=dead",
        "/jobs?status=cancelled",
        "/jobs?status=pending",
        "/jobs?task=send_email",
        f"/jobs?cursor={older}",
        f"/jobs/{newest}",
        f"/jobs/{dead}",
        "/failures",
        "/failures?task=send_email",
        "/failures?state=all&by=last",
        "/failures?by=first&since=1",
        f"/failures/{group}",
        "/tasks",
        "/tasks/send_email",
        "/tasks/send_email?t=24h",
        "/queues",
        "/queues/default",
        "/schedules",
        "/workflows",
        f"/workflows/{rows[0]['id']}",
        f"/workflows/{wide}",
        "/workers",
        "/system",
        "/api/stats",
        "/api/jobs",
        "/api/jobs?limit=500",
        f"/api/jobs?cursor={older}",
        "/api/dead-letters",
        "/api/metrics",
        "/api/logs",
        "/api/rollups?t=24h",
        "/api/rollups?t=24h&task=send_email",
        "/api/queues",
        "/api/periodic",
        "/api/workers",
        "/api/running",
        "/api/workflows",
        f"/api/workflows/{wide}",
    ]


def main() -> int:
    """Seed, ask, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--file", type=Path, help="seed it, or use it as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or Path(folder) / "jobs.db"
        if not path.exists():
            begin = time.perf_counter()
            seed(path, options.jobs)
            print(f"seeded {options.jobs:,} jobs in {time.perf_counter() - begin:.1f} s")
        with Queue(path) as queue:
            return measure(queue, options.requests)


def measure(queue: Queue, requests: int) -> int:
    """Print p50 and p95 of each address; 1 if one is over the budget."""
    client = Client(create_app(queue))
    found = addresses(queue, client)
    over: list[str] = []
    print("ms of the processor: p50, p95; until the answer: p50, p95")
    for address in found:
        _timed(client, address)
        times = [_timed(client, address) for _ in range(requests)]
        busy, whole = (_middle_and_end(part) for part in zip(*times, strict=True))
        shown = address if len(address) < 60 else f"{address[:57]}…"
        print("".join(f"{ms:>8.1f}" for ms in (*busy, *whole)), f"  {shown}", flush=True)
        if busy[1] > BUDGET_MS:
            over.append(address)
    print(f"over {BUDGET_MS:.0f} ms: {', '.join(over) or 'none'}")
    return int(bool(over))


def _timed(client: Client, address: str) -> tuple[float, float]:
    """Milliseconds of the processor, and until the answer."""
    begin, busy = time.perf_counter(), time.thread_time()
    response = client.get(address)
    times = (time.thread_time() - busy) * 1000, (time.perf_counter() - begin) * 1000
    assert response.status_code == 200, (address, response.text)
    return times


def _middle_and_end(times: tuple[float, ...]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    sys.exit(main())
