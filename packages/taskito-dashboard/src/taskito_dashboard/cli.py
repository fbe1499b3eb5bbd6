"""``taskito dashboard``: the web page from the command line."""

import argparse
import os
from typing import TYPE_CHECKING

from taskito_dashboard.security import TOKEN_VARIABLE, token_of
from taskito_dashboard.server import serve, started
from taskito_dashboard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskito.cli._context import Context

_LAST_PORT = 65_535


def register(parser: argparse.ArgumentParser) -> "Callable[[argparse.Namespace, Context], int]":
    """The web page: what waits, what runs, what failed."""
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; default: %(default)s")
    parser.add_argument(
        "--port", type=_port, default=8080, help="default: %(default)s; 0 takes any free one"
    )
    parser.add_argument(
        "--token",
        help=f"what requests must carry; better: {TOKEN_VARIABLE}, which ps does not show",
    )
    parser.add_argument(
        "--read-only", action="store_true", help="refuse whatever changes something"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="listen beyond this machine without a token"
    )
    return dashboard


def dashboard(args: argparse.Namespace, context: "Context") -> int:
    """Serve until Ctrl+C."""
    queue = context.queue()
    has_app = bool(getattr(args, "app", None) or os.environ.get("TASKITO_APP"))
    if args.insecure and token_of(args.token) is None:
        context.console.warning(f"whoever reaches {args.host} can do everything")
    with queue:
        # A file that nobody vouched for is not unpickled.
        source = Source(queue, decodes=has_app)
        serve(
            source,
            args.host,
            args.port,
            token=args.token,
            read_only=args.read_only,
            insecure=args.insecure,
            announce=lambda address: _announce(context, address),
        )
    return 0


def _announce(context: "Context", address: str) -> None:
    if context.console.as_json:
        context.console.document({"address": address})
    else:
        context.console.say(started(address))


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= _LAST_PORT:  # noqa: PLR2004
        return int(text)
    raise argparse.ArgumentTypeError(f"not a port: {text!r}; write 0 to {_LAST_PORT}")
