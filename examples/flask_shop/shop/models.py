"""What the shop keeps."""
# ruff: noqa: TID252 - as in __init__.py

from sqlalchemy.orm import Mapped, mapped_column

from .extensions import Base, db


class Order(Base):
    """An order. Its letter is written by a job."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    item: Mapped[str]
    letter: Mapped[str | None]


def create_tables() -> None:
    """Create the tables that are not there yet."""
    db.create_all()
