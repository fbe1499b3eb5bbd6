"""A server for nothing but metrics, for workers that have no other."""

from typing import TYPE_CHECKING

from taskito.contrib.prometheus._client import registry_for

if TYPE_CHECKING:
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

    from prometheus_client import CollectorRegistry


class MetricsServer:
    """A server that runs in a daemon thread.

    Attributes:
        port: The TCP port, also if the system chose it.
    """

    def __init__(self, server: "WSGIServer", thread: "Thread") -> None:
        """Keep what runs; :func:`start_metrics_server` makes it."""
        self._server = server
        self._thread = thread
        self.port = server.server_port

    def close(self) -> None:
        """Stop serving and release the port. Idempotent."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def start_metrics_server(
    port: int = 9090,
    host: str = "127.0.0.1",
    *,
    registry: "CollectorRegistry | None" = None,
) -> MetricsServer:
    """Serve metrics over HTTP in a daemon thread, and return at once.

    It has no login: on another host than loopback, everybody who reaches it can read it.

    Args:
        port: TCP port; 0 lets the system choose one.
        host: The address to listen at.
        registry: What to serve; ``None`` is the default registry of ``prometheus_client``.

    Returns:
        The server, which knows its port and can be closed.

    Raises:
        ImportError: If the extra ``prometheus`` is not installed.
        OSError: If the port cannot be opened.
    """
    served = registry_for("start_metrics_server", registry)
    from prometheus_client import start_http_server  # noqa: PLC0415 - an extra

    return MetricsServer(*start_http_server(port, host, served))
