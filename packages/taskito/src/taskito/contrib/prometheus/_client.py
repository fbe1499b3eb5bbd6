"""The client library, loaded when something of it is needed."""

from typing import TYPE_CHECKING

from taskito.contrib._extras import missing

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


def registry_for(subject: str, registry: "CollectorRegistry | None") -> "CollectorRegistry":
    """Return a registry, the library's own if none is given.

    Raises:
        ImportError: If the extra ``prometheus`` is not installed.
    """
    try:
        from prometheus_client import REGISTRY  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name != "prometheus_client":
            raise
        raise missing(subject, "prometheus-client", "prometheus") from error
    return REGISTRY if registry is None else registry
