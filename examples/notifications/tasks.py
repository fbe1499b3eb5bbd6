"""The queue of the service: one task that sends, and one on a schedule that makes up digests."""

import hashlib
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from examples.notifications.limits import TENANT_AT_ONCE, TENANT_RATE
from examples.notifications.message import Message
from taskito import Queue

if TYPE_CHECKING:
    from taskito import JobResult

queue = Queue()  # its file is named by the environment variable TASKITO_DB_PATH

PROVIDER = "NOTIFICATIONS_PROVIDER"
"""The environment variable with the provider's URL."""

MAIL = "mail"
"""The queue of what is sent. Digests are made in the default one, also while this is paused."""

UNPROCESSABLE = 422


class BadAddressError(Exception):
    """Nobody has this address. Trying again does not help."""


@queue.task(
    queue=MAIL,
    rate_limit=f"{TENANT_RATE}/s",  # of each limit key, which is the customer
    max_concurrent=TENANT_AT_ONCE,
    max_retries=4,
    retry_backoff=0.1,
    timeout=20,
    dont_retry_on=[BadAddressError],
)
def send(message: Message) -> None:
    """Hand one message over to the provider."""
    body = json.dumps(message.as_fields()).encode()
    try:
        with urlopen(Request(os.environ[PROVIDER], body), timeout=10):
            pass
    except HTTPError as error:
        if error.code == UNPROCESSABLE:
            raise BadAddressError(f"nobody has the address {message.address}") from error
        raise


def notify(message: Message, **options: Any) -> "JobResult[None]":
    """Have a message sent; the customer's limits go by the limit key."""
    task = send.options(limit_key=message.tenant, metadata=message.ref, **options)
    return task.delay(message)


@queue.periodic(every=1, name="digest", max_retries=1)
def digest() -> int:
    """Send each address everything that has happened since the last digest, in one message.

    The lock keeps those out who add events meanwhile, in whatever process. If this worker died
    before the events are removed, the next digest would send the same lines: the idempotency
    key makes that the same job.
    """
    with queue.lock("outbox", ttl=10, timeout=5):
        lines = _outbox().read_text().splitlines() if _outbox().exists() else []
        news: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for line in lines:
            event = json.loads(line)
            news[event["tenant"], event["address"]].append(event["text"])
        for (tenant, address), texts in news.items():
            text = "\n".join(texts)
            ref = f"digest {hashlib.sha256(text.encode()).hexdigest()[:12]} for {address}"
            message = Message(ref=ref, tenant=tenant, address=address, text=text)
            notify(message, idempotency_key=ref)
        _outbox().unlink(missing_ok=True)
    return len(lines)


def happened(tenant: str, address: str, text: str) -> None:
    """Note an event for the next digest."""
    with queue.lock("outbox", ttl=10), _outbox().open("a") as file:
        print(json.dumps({"tenant": tenant, "address": address, "text": text}), file=file)


def is_anything_noted() -> bool:
    """Whether events wait for the next digest."""
    return _outbox().exists()


def _outbox() -> Path:
    return Path(queue.db_path).with_name("outbox.jsonl")
