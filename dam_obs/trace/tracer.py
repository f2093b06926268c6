"""
The tracer: what a program calls to record by hand.

    from dam_obs import tracer

    with tracer.span("alt", "transition", "altitude.py", "L3→L2") as span:
        ...
        span.set_output("success", reason="user requested tactical")

It is off until something switches it on: `configure`, the environment
(``DOPEJAR_TRACE=1``), a settings file, or `dam-obs run`. While it is off, a span is one
attribute check and a shared object that does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from dam_obs.trace import faults, meter
from dam_obs.trace.capture import capture
from dam_obs.trace.context import get_current
from dam_obs.trace.layers import UnknownLayer
from dam_obs.trace.site import CallSite, site
from dam_obs.trace.span import NOTHING, SHORT, Nothing, Span, begin, keep, unwanted

SITES_KEPT = 4096
"""Call sites that are remembered by their three words; a component that is different each time must not fill memory."""


class Tracer:
    """Records spans and moments."""

    __slots__ = ("_sites", "enabled", "with_debug")

    def __init__(self) -> None:
        self.enabled = False
        """Whether anything is recorded."""
        self.with_debug = True
        """Whether anybody keeps what is of level debug; where nobody does, it need not be begun."""
        self._sites: dict[tuple[str, str, str], CallSite] = {}

    def span(
        self, hrm: str, operation: str, component: str, input_data: object = "", **metadata: Any
    ) -> Span | MeasuredSpan | Nothing:
        """
        Start a span, to be used around a ``with`` block right away.

        Args:
            hrm: The layer's code (``alt``) or name (``altitude``).
            operation: What is done: ``transition``.
            component: The file, class or system that does it.
            input_data: What goes in; 100 characters of it are kept as a summary.
            **metadata: Data by name.

        A layer that nobody knows must not make a program fail that ran while recording was off: it is logged once,
        counted as a fault, and recorded as ``system``.
        """
        if not self.enabled:
            return NOTHING
        around = get_current()
        if unwanted(around):
            return NOTHING
        place = self._sites.get((hrm, operation, component)) or self._site(hrm, operation, component)
        if type(input_data) is not str or len(input_data) >= SHORT:
            input_data = capture(input_data)
        if metadata:
            keep(metadata)
        span = begin(place, around, input_data, metadata or None)
        return MeasuredSpan(span) if meter.measuring else span

    def event(
        self,
        hrm: str,
        operation: str,
        component: str,
        input_data: object = "",
        output_data: object = "",
        status: str = "success",
        metadata: Mapping[str, Any] | None = None,
    ) -> str | None:
        """
        Record a moment: something that happened and took no time.

        Takes what `span` takes, and the output and status at once.

        Returns:
            Its handle; `None` where nothing is recorded.
        """
        if not self.enabled:
            return None
        around = get_current()
        if unwanted(around):
            return None
        span = begin(self._sites.get((hrm, operation, component)) or self._site(hrm, operation, component), around)
        span.event_kind = "event"
        span.set_input(input_data)
        span.set_output(output_data, **{str(name): value for name, value in (metadata or {}).items()})
        span.set_status(status)
        span.finish(at_ns=span.start_ns)
        return span.trace_id

    def _site(self, hrm: str, operation: str, component: str) -> CallSite:
        if len(self._sites) >= SITES_KEPT:
            self._sites.clear()
        try:
            made = site(hrm, operation, component)
        except UnknownLayer as error:
            faults.report("tracer.layer", error, str(error))
            made = site("system", f"{hrm}.{operation}", component)
        self._sites[(hrm, operation, component)] = made
        return made


class MeasuredSpan:
    """A span around a ``with`` block in a measured run, and what the block took where that can be told."""

    __slots__ = ("_span", "_stretch")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._stretch: meter.Stretch | None = None

    def __enter__(self) -> Span:
        span = self._span
        span.__enter__()
        if span.recording:
            span.meter = meter.Meter(span.span_id, span.site)
            if meter.Stretch.possible():
                self._stretch = meter.Stretch()
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stretch is not None and self._span.meter is not None:
            self._stretch.end(self._span.meter)
        self._span.__exit__(kind, error, traceback)


tracer = Tracer()
"""The process's tracer."""
