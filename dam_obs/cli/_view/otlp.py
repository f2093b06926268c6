"""
Events as OTLP JSON lines, as a collector's ``otlpjsonfile`` receiver and `dam-obs view` itself read them.

Each line is one request with the spans of one process. Ids are OpenTelemetry's where the
event has them. One that another program wrote without gets ids that are made of handles: the
trace's of the handle at its top, so that the same event has the same ids whenever it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from opentelemetry.sdk.resources import Resource

from dam_obs.cli._view.picture import Picture
from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.store.timing import duration_ns, start_ns
from dam_obs.trace.events import FinishedSpan, TraceEvent

REQUEST_SPANS: Final = 512

_IDS: Final = ("traceId", "spanId", "parentSpanId")


def otlp_lines(pictures: Sequence[Picture]) -> Iterator[str]:
    """Yield the events that were asked for, in requests of at most `REQUEST_SPANS`."""
    encoders: dict[int | None, Encoder] = {}
    waiting: dict[int | None, list[FinishedSpan]] = {}
    for picture in pictures:
        trace_id = _trace_id(picture.root)
        for row in picture.rows:
            if row.context:
                continue
            pid = row.event.pid
            waiting.setdefault(pid, []).append(_span(row.event, trace_id))
            if len(waiting[pid]) >= REQUEST_SPANS:
                yield _line(encoders.setdefault(pid, Encoder(_resource(pid))), waiting.pop(pid))
    for pid, spans in waiting.items():
        yield _line(encoders.setdefault(pid, Encoder(_resource(pid))), spans)


def _line(encoder: Encoder, spans: Sequence[FinishedSpan]) -> str:
    request = MessageToDict(encoder(spans), use_integers_for_enums=True)
    for scope in request["resourceSpans"][0]["scopeSpans"]:
        for span, finished in zip(scope["spans"], spans, strict=True):
            # OTLP's JSON has ids in hex, unlike protobuf's.
            ids = (f"{finished.trace_id:032x}", f"{finished.span_id:016x}", f"{finished.parent_span_id:016x}")
            span.update((name, value) for name, value in zip(_IDS, ids, strict=True) if name in span)
    return msgspec.json.encode(request).decode()


def _span(event: TraceEvent, trace_id: int) -> FinishedSpan:
    started = start_ns(event)
    return FinishedSpan(
        event=event,
        name=f"{event.hrm_layer}.{event.operation}",
        trace_id=int(event.otel_trace_id, 16) if event.otel_trace_id else trace_id,
        span_id=int(event.otel_span_id, 16) if event.otel_span_id else _made_of(event, event.trace_id, 8),
        parent_span_id=_parent_id(event),
        parent_is_remote=False,
        trace_state="",
        start_ns=started,
        end_ns=started + (duration_ns(event) or 0),
        code=event.code or {},
        attributes={},
        span_events=(),
        links=(),
    )


def _parent_id(event: TraceEvent) -> int:
    if event.otel_parent_id:
        return int(event.otel_parent_id, 16)
    return _made_of(event, event.parent_id, 8) if event.parent_id and not event.otel_span_id else 0


def _trace_id(top: TraceEvent) -> int:
    return _made_of(top, top.parent_id or top.trace_id, 16)


def _made_of(event: TraceEvent, handle: str, size: int) -> int:
    """Make an id of a handle and the process that issued it."""
    named = handle if event.pid is None else f"{event.pid}:{handle}"
    return int.from_bytes(blake2b(named.encode(), digest_size=size).digest(), "big") or 1


def _resource(pid: int | None) -> Resource:
    known: dict[str, Any] = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or "unknown_service"}
    return Resource(known if pid is None else known | {"process.pid": pid})
