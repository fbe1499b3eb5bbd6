"""Extensions, made once and without an application."""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase

from taskito_flask import Taskito


class Base(DeclarativeBase):
    """What models are built on."""


db = SQLAlchemy(model_class=Base)
taskito = Taskito()
