"""Switches telemetry on for all queues of a process, as tools that instrument programs do."""

import importlib
import logging
from collections.abc import Collection
from contextlib import suppress
from typing import ClassVar, Self

from taskito._everywhere import EVERYWHERE
from taskito.contrib.otel._middleware import OpenTelemetryMiddleware, Propagation

_logger = logging.getLogger("taskito")


class TaskitoInstrumentor:
    """Instruments every Queue of this process, those that exist and those to come.

    There is one object of this class. It has the interface of the instrumentors of
    OpenTelemetry, whose tools find it through the entry point ``opentelemetry_instrumentor``,
    and counts as one of them if ``opentelemetry-instrumentation`` is installed.

    Example:
        >>> from taskito.contrib.otel import TaskitoInstrumentor
        >>> TaskitoInstrumentor().instrument()
        >>> TaskitoInstrumentor().uninstrument()
    """

    _only: ClassVar["TaskitoInstrumentor | None"] = None
    _middleware: OpenTelemetryMiddleware | None = None

    def __new__(cls) -> Self:
        """Return the one object."""
        if not isinstance(cls._only, cls):
            cls._only = super().__new__(cls)
        return cls._only

    @property
    def is_instrumented_by_opentelemetry(self) -> bool:
        """Whether queues are instrumented now."""
        return self._middleware is not None

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return what must be installed: ourselves, in any version."""
        return ("taskito",)

    def instrument(self, *, propagation: Propagation = "link", **options: object) -> None:
        """Make spans and metrics of all that this process enqueues and runs from now on.

        Their names and attributes are those of the semantic conventions for messaging, as of
        :class:`OpenTelemetryMiddleware` with ``span_names="messaging"``. If it is done
        already, this logs a warning and changes nothing.

        Args:
            propagation: ``"link"`` or ``"parent"``, see :class:`OpenTelemetryMiddleware`.
            **options: ``tracer_provider`` and ``meter_provider``, else the global ones; what
                else tools pass to all instrumentors is ignored.

        Raises:
            ImportError: If the extra ``otel`` is not installed.
        """
        if self._middleware is not None:
            _logger.warning("taskito is instrumented already")
            return
        given = {name: options.get(name) for name in ("tracer_provider", "meter_provider")}
        self._middleware = OpenTelemetryMiddleware(
            span_names="messaging",
            propagation=propagation,
            **given,  # type: ignore[arg-type]  # checked by those who use them
        )
        EVERYWHERE.add(self._middleware)

    def uninstrument(self, **_options: object) -> None:
        """Make none any more. What runs now gets its span; without effect if none are made."""
        if self._middleware is not None:
            EVERYWHERE.remove(self._middleware)
            self._middleware = None


with suppress(ImportError):
    importlib.import_module("opentelemetry.instrumentation.instrumentor").BaseInstrumentor.register(
        TaskitoInstrumentor
    )
