"""What a page that people look at costs a worker that has much to do."""

import http.client
import statistics
import threading
from urllib.parse import urlsplit

from benchmarks.board import Board
from benchmarks.systems import System, WatchedSystem
from benchmarks.workloads.speed import let_through

VIEWERS = 10
EVERY_S = 2.0
LOOKS_PER_CHARTS = 5
PAIRS = 3
SHARE = 10
ANSWER_WITHIN_S = 30.0


def viewers(system: System, board: Board, jobs: int) -> dict[str, float]:
    """Drains of ten times as many jobs: nobody looks, ten look, by turns, three times each.

    One worker runs all the time, and so does the server of the dashboard. Ten pages are open on
    the overview: each asks for it every two seconds, with the tag of the answer that it has, as
    the page does, and every ten seconds for the numbers of its two charts. Each first drain of a
    pair is the second one of the next.
    """
    if not isinstance(system, WatchedSystem):
        raise TypeError(f"{system!r} has no page to look at")
    count = SHARE * jobs
    system.start()
    address = system.open_page()
    turns = (turn for pair in range(PAIRS) for turn in ((False, True), (True, False))[pair % 2])
    rates: dict[bool, list[float]] = {False: [], True: []}
    let_through(system, board, range(count))
    for number, is_watched in enumerate(turns, start=1):
        indexes = range(number * count, (number + 1) * count)
        audience = Audience(address, VIEWERS if is_watched else 0)
        with audience:
            rate = let_through(system, board, indexes, already=number * count)
        if audience.error is not None:
            raise audience.error
        rates[is_watched].append(rate)
    ratios = [watched / alone for alone, watched in zip(rates[False], rates[True], strict=True)]
    return {
        "unwatched": statistics.median(rates[False]),
        "watched": statistics.median(rates[True]),
        "watched_to_unwatched": statistics.median(ratios),
    }


class Audience:
    """Pages that are open, each a connection of its own; they ask one after the other.

    Attributes:
        error: what kept them from looking.
    """

    def __init__(self, address: str, pages: int) -> None:
        self.error: OSError | http.client.HTTPException | None = None
        self._host = urlsplit(address).netloc
        self._pages = pages
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="audience")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        pages = [_Page(self._host) for _ in range(self._pages)]
        try:
            while pages and not self._is_over.is_set():
                for page in pages:
                    page.look()
                    if self._is_over.wait(EVERY_S / len(pages)):
                        break
        except (OSError, http.client.HTTPException) as error:
            self.error = error
        finally:
            for page in pages:
                page.close()


class _Page:
    """One page that is open on the overview."""

    def __init__(self, host: str) -> None:
        self._connection = http.client.HTTPConnection(host, timeout=ANSWER_WITHIN_S)
        self._tags: dict[str, str] = {}
        self._looks = 0

    def look(self) -> None:
        """Ask for the page, unless it is the one that is here, and now and then for its charts."""
        self._ask("/", {"Accept": "text/html", "HX-Request": "true"})
        if self._looks % LOOKS_PER_CHARTS == 0:
            self._ask("/api/rollups?t=1h", {})
        self._looks += 1

    def _ask(self, path: str, headers: dict[str, str]) -> None:
        sent = {**headers, "Accept-Encoding": "gzip"}
        if path in self._tags:
            sent["If-None-Match"] = self._tags[path]
        self._connection.request("GET", path, headers=sent)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status not in {200, 304}:
            raise http.client.HTTPException(f"{path} answered {answer.status}")
        self._tags[path] = answer.headers["ETag"]

    def close(self) -> None:
        """Leave."""
        self._connection.close()
