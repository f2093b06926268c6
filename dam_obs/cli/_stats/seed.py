"""The part of ``dam-obs stats`` whose layout the seed fixes: lines for people and for whoever reads them by program."""

from __future__ import annotations

from collections.abc import Iterator

from dam_obs.cli._units import counted
from dam_obs.sinks.tree import layer_code
from dam_obs.store.figures import Sums
from dam_obs.store.timing import duration_ns
from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent


def seed_lines(sums: Sums, filter_text: str) -> Iterator[str]:
    """Yield layers and slowest operations, in whole milliseconds."""
    fit = f" that fit {printable(filter_text)}" if filter_text else ""
    yield f"HRM Layer Stats (last {_plain(sums.events, 'event')}{fit}):"
    for layer in sums.layers:
        average = _milliseconds(layer.durations.mean_ns if layer.durations else 0)
        errors = _plain(layer.by_status["error"], "error")
        yield f"- {printable(layer.layer)}: {_plain(layer.operations, 'op')}, avg {average}ms, {errors}"
    if not sums.slowest:
        return
    yield ""
    yield "Slowest operations:"
    for rank, event in enumerate(sums.slowest, 1):
        name = f"{layer_code(event)}_{event.operation}"
        yield printable(f"{rank}. {name}: {_milliseconds(duration_ns(event) or 0)}ms ({what(event)})")


def what(event: TraceEvent) -> str:
    """Say what an operation was about: its input and the reason it gave, else the component that ran it."""
    reason = event.metadata.get("reason")
    parts = [event.input_summary, reason if isinstance(reason, str) else ""]
    return " ".join(part for part in parts if part) or event.component


def _plain(number: int, noun: str) -> str:
    """Count as the seed does, without separators."""
    return counted(number, noun).replace(",", "")


def _milliseconds(ns: int) -> int:
    return (ns + 500_000) // 1_000_000
