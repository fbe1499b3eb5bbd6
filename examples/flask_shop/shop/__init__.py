"""A shop: orders come in through Flask, letters go out through jobs."""
# ruff: noqa: TID252 - a Flask application is a package that may have any name

from flask import Flask

from . import models, views
from .extensions import db, taskito


def create_app() -> Flask:
    """Make the application. Settings come from variables such as ``FLASK_TASKITO_DB_PATH``."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"  # in the instance folder
    app.config.from_prefixed_env()
    db.init_app(app)
    taskito.init_app(app)
    app.register_blueprint(views.shop)
    app.cli.command("init-db")(models.create_tables)
    return app
