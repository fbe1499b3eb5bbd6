"""The application whose dashboard is looked at: tasks that succeed, fail, wait and hold."""

import os
import time
from pathlib import Path

from taskito import Queue
from taskito.context import current_job
from tests.dashboard.asking import HOSTILE

GATE = Path(os.environ["SITE_DATABASE"]).with_name("gate")
"""Jobs that hold wait until this file is gone."""
DECLINES = GATE.with_name("declines")
"""Cards are declined while this file is there."""
queue = Queue(os.environ["SITE_DATABASE"])


@queue.task(name="add")
def add(a: int, b: int) -> int:
    return a + b


@queue.task(name="total")
def total(parts: list[int]) -> int:
    return sum(parts)


@queue.task(name="send_email", queue="emails", max_retries=0, circuit_breaker={"threshold": 50})
def send_email(user_id: int, template: str) -> dict[str, object]:
    current_job.log(f"rendering {template}")
    if user_id % 4 == 0:
        raise ConnectionError(f"SMTP timeout talking to mx{user_id % 3}.example.com")
    return {"sent": True, "user_id": user_id}


@queue.task(name="resize_image", queue="media", max_retries=5, retry_backoff=600)
def resize_image(path: str, *, width: int) -> str:
    raise ValueError(f"cannot identify image file {path!r} at {width} px")


@queue.task(name="sync_crm", rate_limit="100/m")
def sync_crm(account: int) -> int:
    current_job.update_progress(42)
    current_job.log("halfway", level="debug", extra={"account": account})
    while GATE.exists():
        time.sleep(0.01)
        current_job.check_cancelled()
    return account


@queue.task(name="charge_card", max_retries=0)
def charge_card(card: int) -> int:
    if DECLINES.exists():
        raise PermissionError(f"card {card} was declined")
    return card


@queue.task(name=HOSTILE, queue=HOSTILE, max_retries=0)
def hostile(text: str) -> None:
    current_job.log(text, level="error")
    raise RuntimeError(text)


@queue.periodic("0 3 * * *", name="nightly_cleanup", timezone="Europe/Berlin")
def nightly_cleanup() -> int:
    return 0


@queue.periodic(every=7200, name="to_be_deleted")
def seldom() -> None:
    return None


@queue.periodic(every=3600, name=f"hourly {HOSTILE}")
def hourly() -> None:
    return None
