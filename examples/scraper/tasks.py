"""The queue and its one task: fetch a page, and enqueue the pages that it leads to."""

from collections.abc import Collection, Iterable
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from examples.scraper.page import Page, read
from taskito import Queue

queue = Queue()  # its file is named by the environment variable TASKITO_DB_PATH

NOT_FOUND = 404


class PageNotFoundError(Exception):
    """There is no such page. Trying again does not help."""


@queue.task(
    max_retries=3,
    retry_backoff=0.2,  # seconds before the first retry; they double from one to the next
    timeout=2,
    dont_retry_on=[PageNotFoundError],
)
def visit(url: str, hosts: Collection[str]) -> Page:
    """Fetch one page, and have the pages visited that it leads to on the given hosts."""
    page = read(url, fetch(url))
    enqueue(page.links, hosts)
    return page


def enqueue(urls: Iterable[str], hosts: Collection[str]) -> None:
    """Store one job for every page that has none yet, in one transaction.

    The idempotency key makes it one: while a job with that key is in the database, finished
    or not, enqueuing it again returns that job and stores nothing. The metadata tells people,
    and programs that look at jobs, which page a job is about.
    """
    ours = [url for url in urls if urlsplit(url).netloc in hosts]
    queue.enqueue_many(
        visit.name,
        [(url, hosts) for url in ours],
        options_list=[{"idempotency_key": url, "metadata": url} for url in ours],
    )


def fetch(url: str) -> str:
    """Return the text of a page.

    The timeout here is for each read: a server that sends a byte now and then never hits it.
    The timeout of the task is for all of it.
    """
    try:
        with urlopen(url, timeout=10) as response:
            return str(response.read().decode())
    except HTTPError as error:
        if error.code == NOT_FOUND:
            raise PageNotFoundError("the link is broken") from error
        raise
