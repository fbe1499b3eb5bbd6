"""Sessions of Flask-SQLAlchemy live as long as a job."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from taskito_flask import Taskito
from tests.flask.support import make_app, queue_of, work_until


class Base(DeclarativeBase):
    """What Flask-SQLAlchemy builds models on."""


class Item(Base):
    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")


class TestSqlalchemy:
    @pytest.fixture
    def database(self, tmp_path: Path, taskito: Taskito) -> Iterator[SQLAlchemy]:
        database = SQLAlchemy(model_class=Base)
        app = make_app(tmp_path, SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/items.db")
        database.init_app(app)
        taskito.init_app(app)
        with app.app_context():
            database.create_all()
            yield database
        with app.app_context():
            database.engine.dispose()
        queue_of(app).close()

    def test_each_job_has_a_session_that_ends_with_it(
        self, database: SQLAlchemy, taskito: Taskito
    ) -> None:
        sessions: list[object] = []

        @taskito.task(max_retries=0)
        def add(name: str) -> None:
            sessions.append(database.session())
            database.session.add(Item(name=name))
            database.session.flush()
            if name == "bad":
                raise ValueError("rolled back")
            database.session.commit()

        jobs = add.map([("good",), ("bad",), ("better",)])
        work_until(taskito.queue, *(job.id for job in jobs))

        names = database.session.scalars(database.select(Item.name)).all()
        assert sorted(names) == ["better", "good"]
        assert len({id(session) for session in sessions}) == 3
        assert list(database.session.registry.registry) == [id(_context())]

    def test_in_test_mode_it_is_that_of_the_test(
        self, database: SQLAlchemy, taskito: Taskito
    ) -> None:
        @taskito.task
        def rename(item_id: int) -> None:
            database.session.get_one(Item, item_id).name = "new"
            database.session.commit()

        item = Item(name="old")
        database.session.add(item)
        database.session.commit()
        with taskito.queue.test_mode(propagate_errors=True):
            rename.delay(item.id)

        assert item in database.session
        assert item.name == "new"


def _context() -> object:
    from flask.globals import app_ctx

    return app_ctx._get_current_object()  # type: ignore[attr-defined]
