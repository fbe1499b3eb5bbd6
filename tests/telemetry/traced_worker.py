"""A worker with an SDK of its own, which writes its spans to the file in ``SPANS``."""

import os
import sys
from pathlib import Path
from typing import Literal, cast

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from taskito import Queue
from taskito.contrib.otel import OpenTelemetryMiddleware


def main(database: str, propagation: str) -> None:
    # Made before the provider is set, as a module of an application would.
    middleware = OpenTelemetryMiddleware(propagation=cast("Literal['link', 'parent']", propagation))
    queue = Queue(database, workers=1, middleware=[middleware])

    @queue.task(name="traced")
    def traced() -> int:
        assert trace.get_current_span().is_recording()
        return os.getpid()

    with Path(os.environ["SPANS"]).open("w") as out:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out)))
        trace.set_tracer_provider(provider)
        queue.run_worker()
        provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
