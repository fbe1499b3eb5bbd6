"""A shop: Flask, Flask-SQLAlchemy on SQLite, and tasks; run as anyone would run it."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from taskito import current_job
from taskito_flask import Taskito


class Base(DeclarativeBase):
    """What Flask-SQLAlchemy builds models on."""


db = SQLAlchemy(model_class=Base)
taskito = Taskito()


class Order(Base):
    """An order, packed by a job."""

    __tablename__ = "order"

    id: Mapped[int] = mapped_column(primary_key=True)
    packed_by: Mapped[str] = mapped_column(default="")


@taskito.before_task
def note_job(*_: object) -> None:
    """Lie to a function that was given the context of another job."""
    assert "job" not in g
    g.job = current_job.id


@taskito.task
def pack(order_id: int) -> str:
    assert g.job == current_job.id
    order = db.session.get_one(Order, order_id)
    order.packed_by = g.job
    db.session.commit()
    return current_app.name


@taskito.task
async def announce(order_id: int) -> list[str]:
    before = g.job
    await asyncio.sleep(0.01)
    assert db.session.get_one(Order, order_id).packed_by
    return [before, g.job]


@taskito.task(max_retries=0)
def break_down() -> None:
    """Leave a transaction open and fail."""
    db.session.add(Order(packed_by="nobody"))
    db.session.flush()
    raise RuntimeError("out of cartons")


@taskito.periodic("0 3 * * *", name="nightly")
def sweep() -> None: ...


def create_app() -> Flask:
    """Make the application; its settings come from ``FLASK_`` variables."""
    app = Flask("shop", instance_path=os.environ.get("SHOP_INSTANCE"))
    app.config.from_prefixed_env()
    db.init_app(app)
    taskito.init_app(app)
    app.add_url_rule("/orders", view_func=place, methods=["POST"])
    app.add_url_rule("/jobs/<job_id>", view_func=job)
    app.add_url_rule("/process", view_func=process)
    if made := os.environ.get("SHOP_MADE"):
        with Path(made).open("a") as file:
            file.write(f"{os.getpid()}\n")
    if os.environ.get("SHOP_EARLY"):
        with app.app_context():
            taskito.queue.enqueue("early")
    if word := os.environ.get("SHOP_MOUNT"):
        taskito.mount_dashboard(app, authorize=lambda: request.headers.get("X-Staff") == word)
    return app


def place() -> tuple[dict[str, Any], int]:
    order = Order()
    db.session.add(order)
    db.session.commit()
    flow = (pack.si(order.id) | announce.si(order.id)).apply()
    return {"order": order.id, "job": flow.id, "pid": os.getpid()}, 202


def job(job_id: str) -> dict[str, Any] | tuple[dict[str, Any], int]:
    found = taskito.queue.get_job(job_id)
    if found is None:
        return {"error": "no such job"}, 404
    result = found.result() if found.status == "complete" else None
    return {"status": found.status, "result": result}


def process() -> dict[str, Any]:
    threads = [thread.name for thread in threading.enumerate()]
    return {"pid": os.getpid(), "threads": threads, "tables": inspect(db.engine).get_table_names()}
