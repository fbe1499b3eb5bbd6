"""The instruments of the semantic conventions for messaging."""

import inspect
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics

from taskito._version import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter, MeterProvider

_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_ADVISORY = "explicit_bucket_boundaries_advisory"


class Instruments:
    """What one middleware measures with.

    Attributes:
        operation_duration: How long calls take that store jobs, in seconds.
        process_duration: How long attempts take, in seconds.
        sent_messages: How many jobs were stored.
        consumed_messages: How many attempts began.
    """

    def __init__(self, name: str, provider: "MeterProvider | None") -> None:
        """Measure under the instrumentation scope ``name``."""
        meter = metrics.get_meter(name, __version__, provider)
        self.operation_duration = _seconds(
            meter, "messaging.client.operation.duration", "Duration of calls that enqueue jobs"
        )
        self.process_duration = _seconds(
            meter, "messaging.process.duration", "Duration of attempts to run a job"
        )
        self.sent_messages = meter.create_counter(
            "messaging.client.sent.messages", "{message}", "Jobs that were enqueued"
        )
        self.consumed_messages = meter.create_counter(
            "messaging.client.consumed.messages", "{message}", "Attempts that were begun"
        )


def _seconds(meter: "Meter", name: str, description: str) -> "Histogram":
    # Older versions of the API cannot say which buckets are useful.
    known = inspect.signature(meter.create_histogram).parameters
    advice: dict[str, Any] = {_ADVISORY: _BOUNDARIES} if _ADVISORY in known else {}
    return meter.create_histogram(name, "s", description, **advice)
