"""What happens after the answer. Imported before any application exists."""
# ruff: noqa: TID252 - as in __init__.py

from flask import current_app, g
from sqlalchemy import func, select

from taskito import current_job

from .extensions import db, taskito
from .models import Order


@taskito.before_task
def remember_job(*_: object) -> None:
    """Hooks run in the same application context as the task, so ``g`` is theirs too."""
    g.job_id = current_job.id


@taskito.task(max_retries=5)
def confirm(order_id: int) -> str:
    """Write the letter of an order. The session is a new one and ends with the job."""
    order = db.session.get_one(Order, order_id)
    letter = f"Dear {order.email}, your {order.item} is on its way."
    order.letter = letter
    db.session.commit()
    current_app.logger.info("order %d confirmed by job %s", order_id, g.job_id)
    return letter


@taskito.periodic("0 6 * * mon", name="weekly-count", timezone="Europe/Berlin")
def count_orders() -> int:
    """Count the orders; a schedule of any worker, started by one of them."""
    return db.session.scalar(select(func.count(Order.id))) or 0
