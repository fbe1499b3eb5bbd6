"""What the jobs do, the same for all systems. The workload chooses; see docs/benchmarks.md."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from benchmarks.board import Board

if TYPE_CHECKING:
    from benchmarks.systems import Place

BURN_S = 0.005
SLEEP_S = 0.01
LONG_S = 0.05
Body = Callable[[int], int]


class PlannedError(Exception):
    """Raised by the first attempt of a job that is to fail once."""


def body(place: "Place") -> Body:
    """Return the job of this measurement: a function of the job's index that returns it."""
    return BODIES[place.kind](place.board)


def coroutine_body(place: "Place") -> Callable[[int], Awaitable[int]]:
    """Return the same as a coroutine function, which waits without holding its thread."""
    import asyncio

    board = place.board
    plain = body(place)

    async def sleep(index: int) -> int:
        board[index] = time.monotonic_ns()
        await asyncio.sleep(SLEEP_S)
        return index

    async def mixed(index: int) -> int:
        board[index] = time.monotonic_ns()
        if index >= len(board) // 2:
            await asyncio.sleep(LONG_S)
        return index

    async def run(index: int) -> int:
        return plain(index)

    return {"sleep": sleep, "mixed": mixed}.get(place.kind, run)


def _noop(board: Board) -> Body:
    """Note the start: the least a job can do and be seen to do."""

    def noop(index: int) -> int:
        board[index] = time.monotonic_ns()
        return index

    return noop


def _burn(board: Board) -> Body:
    """Use the processor for 5 ms, all of it in Python."""

    def burn(index: int) -> int:
        board[index] = time.monotonic_ns()
        end = time.thread_time() + BURN_S
        while time.thread_time() < end:
            pass
        return index

    return burn


def _sleep(board: Board) -> Body:
    """Wait for 10 ms, as for an answer from the network."""

    def sleep(index: int) -> int:
        board[index] = time.monotonic_ns()
        time.sleep(SLEEP_S)
        return index

    return sleep


def _fail_once(board: Board) -> Body:
    """Fail at the first attempt, which is noted in the upper half of the board."""
    half = len(board) // 2

    def fail_once(index: int) -> int:
        if not board[half + index]:
            board[half + index] = time.monotonic_ns()
            raise PlannedError(index)
        board[index] = time.monotonic_ns()
        return index

    return fail_once


def _mixed(board: Board) -> Body:
    """Note the start; jobs of the upper half of the board wait for 50 ms."""
    half = len(board) // 2

    def mixed(index: int) -> int:
        board[index] = time.monotonic_ns()
        if index >= half:
            time.sleep(LONG_S)
        return index

    return mixed


BODIES: dict[str, Callable[[Board], Body]] = {
    "noop": _noop,
    "burn": _burn,
    "sleep": _sleep,
    "fail_once": _fail_once,
    "mixed": _mixed,
}
