"""What the shop answers."""
# ruff: noqa: TID252 - as in __init__.py

from typing import Any

from flask import Blueprint, request, url_for

from .extensions import db
from .models import Order
from .tasks import confirm

shop = Blueprint("shop", __name__)


@shop.post("/orders")
def place() -> tuple[dict[str, Any], int]:
    """Keep an order, and leave the rest to a worker."""
    order = Order(email=request.form["email"], item=request.form["item"])
    db.session.add(order)
    db.session.commit()  # first: the worker looks for the order
    confirm.apply_async([order.id], idempotency_key=f"order-{order.id}")
    return {"id": order.id, "status": url_for(".show", order_id=order.id)}, 202


@shop.get("/orders/<int:order_id>")
def show(order_id: int) -> dict[str, Any]:
    """Say how far an order is."""
    order = db.get_or_404(Order, order_id)
    state = "placed" if order.letter is None else "confirmed"
    return {"id": order.id, "item": order.item, "letter": order.letter, "state": state}
