"""What is fuzzed: each target takes bytes, and refuses them only as it is documented.

A target is a function that is given a directory and yields what takes an input. Whatever that
raises besides :class:`RefusedError` is a defect; so is an answer that cannot be true.
"""

import argparse
import contextlib
import io
import json
import math
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias
from unittest.mock import patch

from taskito import (
    JsonSerializer,
    OrjsonSerializer,
    Queue,
    SignatureError,
    SignedSerializer,
    TaskitoError,
)
from taskito._checks import header_text, parsed_headers
from taskito.bulk import Bulk
from taskito.cli import _context
from taskito.cli._console import Failure
from taskito.cli._flags import duration as cli_duration
from taskito.cli._run import run
from taskito.filters import Filter, FilterError
from taskito.options import JobOptions
from taskito_core import EngineError, Limits, Timing
from tests.fuzz import mutate, stored

Take: TypeAlias = Callable[[bytes], None]


class RefusedError(Exception):
    """The input was refused as it should be."""


@contextmanager
def refusing(*kinds: type[Exception]) -> Generator[None]:
    """Expect these exceptions, with something to read in each."""
    try:
        yield
    except kinds as error:
        if not str(error):
            raise  # says nothing to anybody
        raise RefusedError from None


def text_of(data: bytes) -> str:
    """Any text, halves of characters included, as a caller could pass it."""
    return data.decode("utf-8", "surrogateescape")


def cron(_: Path) -> Generator[Take]:
    def take(data: bytes) -> None:
        expression, _, zone = text_of(data).rpartition("|")
        with refusing(EngineError, UnicodeEncodeError):
            timing = Timing.cron(expression, zone)
        at = 1_795_000_000_000
        for _ in range(3):
            fire = timing.next(at)
            if fire is None:
                break
            assert fire > at
            assert fire % 1000 == 0
            timing.local(fire)
            at = fire

    yield take


def rate(_: Path) -> Generator[Take]:
    def take(data: bytes) -> None:
        with refusing(EngineError, UnicodeEncodeError):
            Limits(rate=text_of(data))

    yield take


def duration(_: Path) -> Generator[Take]:
    def take(data: bytes) -> None:
        with refusing(argparse.ArgumentTypeError):
            seconds = cli_duration(text_of(data))
        assert math.isfinite(seconds)
        assert seconds >= 0

    yield take


def identifier(home: Path) -> Generator[Take]:
    with Queue(home / "jobs.db", durability="normal") as queue:
        known = queue.enqueue("note", ["x"]).id
        kept = known.encode()

        def take(data: bytes) -> None:
            # Near a real id, and far from it.
            text = text_of(data if len(data) % 2 else kept[: -1 - len(data) % 4] + data[-4:])
            with refusing(UnicodeEncodeError):
                job = queue.get_job(text)
            assert (job is not None) == (text == known)
            assert queue.job_errors(text) == []
            assert job is not None or queue.cancel_job(text) is False
            if job is None:
                with refusing(TaskitoError):
                    queue.why(text)

        yield take


def cursor(home: Path) -> Generator[Take]:
    with Queue(home / "jobs.db", durability="normal") as queue:
        queue.enqueue_many("note", [(n,) for n in range(5)])

        def take(data: bytes) -> None:
            text = text_of(data)
            for page in (queue.list_jobs, queue.dead_letters):
                with contextlib.suppress(RefusedError), refusing(ValueError):
                    page(limit=2, cursor=text)

        yield take


FILTERS = (
    *("status", "queue", "task_name", "limit", "offset", "created_after", "created_before"),
    *("metadata", "error", "cursor"),
)
OPTIONS = (
    *("args", "kwargs", "priority", "delay", "queue", "max_retries", "timeout", "unique_key"),
    *("metadata", "depends_on", "expires", "result_ttl", "idempotency_key", "limit_key", "headers"),
)


def mapping_of(data: bytes, names: Sequence[str]) -> dict[str, object]:
    """The JSON object that the input is, else one of these names with a value made of it."""
    text = text_of(data)
    found: object = None
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(text)
    if isinstance(found, dict):
        return found
    values: list[object] = [text, [text], {text: text}, found, sum(data)]
    with contextlib.suppress(ValueError):
        values.append(float(text))
    return {names[sum(data) % len(names)]: values[len(data) % len(values)]}


def filters(home: Path) -> Generator[Take]:
    with Queue(home / "jobs.db", durability="normal") as queue:
        queue.enqueue_many("note", [(n,) for n in range(5)], metadata={"a": 1})
        queue.enqueue("note", metadata="plain text")

        def take(data: bytes) -> None:
            given = mapping_of(data, FILTERS)
            with refusing(ValueError, TypeError):
                assert len(queue.list_jobs(**given)) <= 6  # type: ignore[arg-type]

        yield take


def line(home: Path) -> Generator[Take]:
    with Queue(home / "jobs.db", durability="normal") as queue:
        queue.enqueue_many("note", [(n,) for n in range(5)], metadata={"tags": ["a"]})
        bulk = Bulk(queue)

        def take(data: bytes) -> None:
            with refusing(FilterError):
                which = Filter.parse(text_of(data))
            assert Filter.parse(str(which)) == which
            found = len(bulk.search(which))
            assert bulk.count(which).number == found <= 5

        yield take


def options(home: Path) -> Generator[Take]:
    with Queue(home / "jobs.db", durability="normal") as queue:

        def take(data: bytes) -> None:
            given = mapping_of(data, OPTIONS)
            with refusing(ValueError, TypeError, TaskitoError):
                JobOptions.of_mapping(given, "this call")
                job = queue.enqueue("note", **given)  # type: ignore[arg-type]
            job.to_dict()
            queue.cancel_job(job.id)
            queue.purge_completed(older_than=0)

        yield take


def headers(_: Path) -> Generator[Take]:
    def take(data: bytes) -> None:
        given = mapping_of(data, ["a"])
        with refusing(ValueError, TypeError):
            stored_text = header_text("headers", given)
        assert parsed_headers(stored_text) == given

    yield take


def signed(_: Path) -> Generator[Take]:
    serializer = SignedSerializer(JsonSerializer(), b"a key of sixteen")
    genuine = {serializer.dumps(json.loads(text)) for text in mutate.corpus("signed")}

    def take(data: bytes) -> None:
        for original in genuine:
            # The mutated text is laid over a signed payload, bit by bit.
            changed = bytes(a ^ b for a, b in zip(original, data.ljust(len(original), b"\0")))  # noqa: B905
            for payload in (data, changed, changed[: len(data)]):
                if payload in genuine:
                    continue
                with contextlib.suppress(SignatureError):
                    raise AssertionError(f"forged: {serializer.loads(payload)!r}")

    yield take


def json_payload(_: Path) -> Generator[Take]:
    serializers = (JsonSerializer(), OrjsonSerializer())

    def take(data: bytes) -> None:
        for serializer in serializers:
            # Whoever loads a payload expects any exception, see taskito._payloads.
            with contextlib.suppress(RefusedError), refusing(ValueError, RecursionError):
                serializer.loads(data)

    yield take


def app(_: Path) -> Generator[Take]:
    def take(data: bytes) -> None:
        with refusing(Failure):
            _context.load_queue(text_of(data))
        raise AssertionError("argparse holds no queue")

    # Not every module that a name may hit can be imported without harm.
    with patch.object(_context, "_module", return_value=argparse):
        yield take


LASTING = {"worker", "dashboard", "doctor", "snapshot"}
"""Commands that start programs, or write where they are told to."""


def command(home: Path) -> Generator[Take]:
    path = home / "jobs.db"
    with Queue(path, durability="normal") as queue:
        queue.enqueue_many("note", [(n,) for n in range(3)])

    def take(data: bytes) -> None:
        words = text_of(data).replace("\0", "").split(" ")
        if LASTING & set(words) or any(word.startswith(("--f", "--d", "--a")) for word in words):
            raise RefusedError
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code: object = run(["--db", str(path), *words])
            except SystemExit as end:
                code = end.code
        assert code in (0, 1, 2, 3, 4, None), code
        assert "Traceback" not in err.getvalue()
        if code:
            assert err.getvalue() or out.getvalue()
            raise RefusedError

    yield take


def row(home: Path) -> Generator[Take]:
    with stored.Rows(home) as rows:

        def take(data: bytes) -> None:
            with refusing(TaskitoError):
                rows.read_with(data)

        yield take


TARGETS: dict[str, tuple[Callable[[Path], Generator[Take]], int]] = {
    "cron": (cron, 1),
    "rate": (rate, 1),
    "duration": (duration, 1),
    "id": (identifier, 4),
    "cursor": (cursor, 2),
    "filter": (filters, 4),
    "line": (line, 4),
    "options": (options, 20),
    "headers": (headers, 1),
    "signed": (signed, 2),
    "json": (json_payload, 1),
    "app": (app, 1),
    "command": (command, 500),
    "row": (row, 50),
}
"""By name: the target, and how many times dearer than the cheapest an input is."""
