"""Gives inputs to targets and counts what comes of it."""

import faulthandler
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.fuzz import mutate
from tests.fuzz.targets import TARGETS, RefusedError

HANGS = 30
"""Seconds after which an input counts as a hang: the process ends and shows where it stands."""
BATCH = 1000


@dataclass(slots=True)
class Figures:
    """What came of the inputs of one target."""

    target: str
    inputs: int = 0
    refused: int = 0
    seconds: float = 0
    slowest: float = 0

    def __str__(self) -> str:
        """One line of the report."""
        return (
            f"{self.target:<9} {self.inputs:>9,} inputs  {self.refused:>9,} refused  "
            f"{self.seconds:>7.1f} s  slowest {self.slowest * 1000:>7.1f} ms"
        )


def fuzz(target: str, count: int, seed: int) -> Figures:
    """Give so many inputs to a target.

    Raises:
        AssertionError: For an input that was neither taken nor refused as documented; it says
            how to keep the input.
    """
    prepare, _ = TARGETS[target]
    figures = Figures(target)
    with tempfile.TemporaryDirectory() as home:
        prepared = prepare(Path(home))
        take = next(prepared)
        begin = before = time.monotonic()
        for data in islice(mutate.inputs(target, seed), count):
            if figures.inputs % BATCH == 0:
                faulthandler.dump_traceback_later(HANGS + BATCH / 10, exit=True)
            figures.refused += _is_refused(take, target, data)
            figures.inputs += 1
            now = time.monotonic()
            figures.slowest = max(figures.slowest, now - before)
            before = now
        faulthandler.cancel_dump_traceback_later()
        prepared.close()
    figures.seconds = time.monotonic() - begin
    assert figures.slowest < HANGS, f"an input of {target} took {figures.slowest:.0f} s"
    return figures


def _is_refused(take: Callable[[bytes], None], target: str, data: bytes) -> bool:
    try:
        take(data)
    except RefusedError:
        return True
    except BaseException as error:  # a panic of the engine is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        line = data.decode("latin-1").encode("unicode_escape").decode()
        raise AssertionError(
            f"{type(error).__name__}: {error}\nkeep it in tests/fuzz/corpus/{target}.txt:\n{line}"
        ) from error
    return False


def shares(total: int) -> dict[str, int]:
    """Divide inputs among the targets, the dearer ones getting less."""
    whole = sum(1 / cost for _, cost in TARGETS.values())
    return {name: 1 + int(total / cost / whole) for name, (_, cost) in TARGETS.items()}
