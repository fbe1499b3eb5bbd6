"""The page on a server of its own."""

import socket
from typing import TYPE_CHECKING

import waitress.server

from taskito.exceptions import ConfigurationError
from taskito_dashboard.app import create_app
from taskito_dashboard.security import is_loopback

if TYPE_CHECKING:
    from taskito import Queue


def serve_dashboard(queue: "Queue", host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve the page of one queue, and block until Ctrl+C.

    Prints the address once the server accepts connections.

    Args:
        queue: whose counts to show.
        host: a loopback name or address; there is no login yet, so others are refused.
        port: TCP port; 0 lets the system choose one.

    Raises:
        ConfigurationError: the host is not loopback.
        OSError: the port cannot be opened.
    """
    if not is_loopback(host):
        raise ConfigurationError(
            f"host {host!r} is not loopback, and this version of the dashboard has no login",
            hint="serve on 127.0.0.1 and reach it through an SSH tunnel: "
            f"ssh -L {port}:127.0.0.1:{port} MACHINE",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        name = f"[{host}]" if family == socket.AF_INET6 else host
        address = f"http://{name}:{listener.getsockname()[1]}"
        server = waitress.server.create_server(create_app(queue), sockets=[listener], ident=None)
        print(f"taskito dashboard on {address} (Ctrl+C to stop)", flush=True)  # noqa: T201 - the contract
        server.run()
