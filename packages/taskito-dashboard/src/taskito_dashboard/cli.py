"""``taskito dashboard``: the web page from the command line."""

import argparse
import os
import re
from typing import TYPE_CHECKING

from taskito.exceptions import ConfigurationError
from taskito_dashboard.security import (
    TOKEN_VARIABLE,
    VIEWER_TOKEN_VARIABLE,
    Proxy,
    Rules,
    token_of,
)
from taskito_dashboard.server import serve, started
from taskito_dashboard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskito.cli._context import Context

_LAST_PORT = 65_535
_PLAIN = re.compile(r"[A-Za-z0-9._~/-]+")


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
        "--viewer-token",
        metavar="TOKEN",
        help=f"the same for who may only look; better: {VIEWER_TOKEN_VARIABLE}",
    )
    parser.add_argument(
        "--trust-header",
        metavar="NAME",
        help="let in whom a proxy names in this header, such as X-Forwarded-User",
    )
    parser.add_argument(
        "--trusted-proxy",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="the address of that proxy; may be repeated",
    )
    parser.add_argument(
        "--allowed-host",
        metavar="NAME",
        action="append",
        default=[],
        help="another name than localhost that requests may ask for; may be repeated",
    )
    parser.add_argument(
        "--hide-args", action="store_true", help="show no arguments and results of jobs"
    )
    parser.add_argument(
        "--read-only", action="store_true", help="refuse whatever changes something"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="listen beyond this machine without a token"
    )
    parser.add_argument(
        "--prefix",
        type=_prefix,
        default="",
        metavar="PATH",
        help="the path below which a proxy serves it, as /jobs",
    )
    return dashboard


def dashboard(args: argparse.Namespace, context: "Context") -> int:
    """Serve until Ctrl+C."""
    queue = context.queue()
    has_app = bool(getattr(args, "app", None) or os.environ.get("TASKITO_APP"))
    rules = _rules(args)
    if args.insecure and not rules.has_login:
        context.console.warning(f"whoever reaches {args.host} can do everything")
    with queue:
        # A file that nobody vouched for is not unpickled.
        source = Source(queue, decodes=has_app, hides=args.hide_args)
        serve(
            source,
            args.host,
            args.port,
            rules,
            insecure=args.insecure,
            prefix=args.prefix,
            announce=lambda address: _announce(context, address),
        )
    return 0


def _rules(args: argparse.Namespace) -> Rules:
    if bool(args.trust_header) != bool(args.trusted_proxy):
        raise ConfigurationError(
            "--trust-header and --trusted-proxy say nothing without each other",
            hint="a header that anybody may send names nobody; write both",
        )
    return Rules(
        token=token_of(args.token),
        viewer_token=token_of(args.viewer_token, VIEWER_TOKEN_VARIABLE),
        proxy=Proxy(args.trust_header, args.trusted_proxy) if args.trust_header else None,
        read_only=args.read_only,
        hosts=[name.lower() for name in args.allowed_host],
    )


def _announce(context: "Context", address: str) -> None:
    if context.console.as_json:
        context.console.document({"address": address})
    else:
        context.console.say(started(address))


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= _LAST_PORT:  # noqa: PLR2004
        return int(text)
    raise argparse.ArgumentTypeError(f"not a port: {text!r}; write 0 to {_LAST_PORT}")


def _prefix(text: str) -> str:
    """Return a path without a slash at its end; it is part of addresses as it is."""
    path = text.rstrip("/")
    if path and not (path.startswith("/") and not path.startswith("//") and _PLAIN.fullmatch(path)):
        raise argparse.ArgumentTypeError(f"not a path: {text!r}; write it like /admin/jobs")
    return path
