"""Tasks of the backend, and one of the queue itself."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from taskito import Cancel, Retry, Snooze, current_job
from taskito.contrib.django.settings import get_queue
from tests.django.project.shop.models import Order
from tests.django.project.tasks_api import AnyContext, task

HOME = Path(os.environ["PROJECT_HOME"])


class OutOfStockError(Exception):
    """An exception of the application."""


@task
def add(a: int, b: int = 0) -> int:
    return a + b


@task(takes_context=True)
def who_am_i(context: AnyContext, name: str) -> dict[str, Any]:
    result = context.task_result
    return {
        "id": result.id,
        "attempt": context.attempt,
        "status": str(result.status),
        "args": result.args,
        "name": name,
        "workers": result.worker_ids,
    }


@task
async def add_later(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


@task(takes_context=True)
async def attempt_later(context: AnyContext) -> int:
    await asyncio.sleep(0)
    return context.attempt


@task
def fail(text: str = "no") -> None:
    raise OutOfStockError(text)


@task
async def fail_later() -> None:
    raise OutOfStockError("later")


@task(backend="quick")
def fail_once() -> None:
    raise OutOfStockError("once")


@task
def fail_until(attempt: int) -> int:
    if current_job.attempt < attempt:
        raise OutOfStockError(f"attempt {current_job.attempt}")
    return current_job.attempt


@task
def echo(value: Any = None) -> Any:
    return value


@task
def unspeakable() -> Any:
    return {1, 2, 3}


@task
def call_off() -> None:
    raise Cancel("not today")


@task
def come_back() -> str:
    came = HOME / f"{current_job.id}.came"
    if not came.exists():
        came.touch()
        raise Snooze(60)
    if current_job.attempt == 1:
        raise Retry(delay=5, reason="once more")
    return "done"


@task
def leave() -> None:
    raise SystemExit(3)


@task(backend="quick")
def die() -> None:
    os._exit(9)


@task(backend="quick")
def sleep_long() -> None:
    time.sleep(60)


@task(backend="apart")
def apart() -> str:
    return "done"


@task
def confirm(order_id: int) -> str:
    order = Order.objects.get(pk=order_id)
    order.is_confirmed = True
    order.save()
    return order.customer


@task
async def confirm_later(order_id: int) -> str:
    order = await Order.objects.aget(pk=order_id)
    order.is_confirmed = True
    await order.asave()
    return order.customer


@task
def hold(name: str) -> int:
    """Say which process runs this, and wait until the file is gone."""
    (HOME / f"{name}.{os.getpid()}.started").touch()
    while (HOME / f"{name}.gate").exists():
        time.sleep(0.01)
    return os.getpid()


@get_queue().task(max_retries=0)
def plain(value: Any) -> Any:
    return value
