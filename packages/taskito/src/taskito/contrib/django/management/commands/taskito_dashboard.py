"""``manage.py taskito_dashboard``: the web page of the queue."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from taskito.contrib.django.settings import get_queue


class Command(BaseCommand):
    """Serves the page of ``taskito-dashboard`` until Ctrl+C."""

    help = "Serve the web page of the background jobs until Ctrl+C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address to listen at."""
        parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
        parser.add_argument("--port", default=8080, type=int, help="default: %(default)s")

    def handle(self, *_: Any, **options: Any) -> None:
        """Serve; block until Ctrl+C."""
        try:
            from taskito.dashboard import serve_dashboard  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise CommandError(str(error)) from None
        serve_dashboard(get_queue(), host=options["host"], port=options["port"])
