"""
Objects that stand for work that starts later, and the spans that gave them out.

A dispatch that is lazy returns such an object and ends; the work starts when somebody
iterates it, maybe in another task, maybe never. Its parent is whoever iterates, and a link
leads to where it was dispatched. Objects are held weakly and known by identity.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

from dam_obs.trace import faults
from dam_obs.trace.events import SpanLink

if TYPE_CHECKING:
    from dam_obs.trace.span import Span

_given: Final[dict[int, tuple[weakref.ref[Any], SpanLink]]] = {}


def remember(span: Span, value: Any) -> None:
    """Note that `span` gave out `value`; one that cannot be held weakly is counted as ``links.unheld``."""
    number = id(value)
    try:
        held = weakref.ref(value, lambda _: _given.pop(number, None))
    except TypeError:
        faults.count("links.unheld")
        return
    _given[number] = (held, SpanLink(span.otel_trace_id, span.span_id, {}))


def follow(span: Span, value: Any) -> None:
    """Link `span` to the one that gave out `value`, if one did."""
    found = _given.get(id(value))
    if found is None or found[0]() is not value:
        return
    if span.links is None:
        span.links = []
    span.links.append(found[1])
