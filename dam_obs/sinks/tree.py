"""
Events as a tree of text lines, in one shape for the console, `dam-obs view` and whoever else prints it.

    [alt] transition: L3→L2 → success (5ms)
      └─[foc] gate_check: WriteApprovalGate → allowed (2ms)
          └─[mem] write: altitude.session → written (3ms) [saved 45 tokens]

Siblings stand in the order in which they started. Nothing in a text can move the cursor,
change colours or turn the reading direction: such characters are shown as escapes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.handles import code_of


@dataclass(frozen=True, slots=True)
class TreeLine:
    """One event in its place."""

    event: TraceEvent
    depth: int
    """0 for a root."""
    text: str


def render(events: Sequence[TraceEvent]) -> list[str]:
    """Return the lines of the tree that `events` make; those without their parent among them are roots."""
    return [line.text for line in tree(events)]


def tree(events: Sequence[TraceEvent]) -> list[TreeLine]:
    """Return the lines of the tree together with their events."""
    ordered = sorted(events, key=_start)
    children, roots = _families(ordered)
    shown: set[int] = set()
    lines: list[TreeLine] = []
    # Those that no root leads to (a file may say that a is the parent of b and b of a) follow as roots of their own.
    for start in (*roots, *ordered):
        waiting = [(start, 0)]
        while waiting:
            event, depth = waiting.pop()
            if id(event) in shown:
                continue
            shown.add(id(event))
            lines.append(TreeLine(event, depth, indent(depth) + line_of(event)))
            waiting.extend((child, depth + 1) for child in reversed(children[id(event)]))
    return lines


def line_of(event: TraceEvent, *, timed: bool = True) -> str:
    """
    Return the line of one event, without its indentation.

    Args:
        event: Any.
        timed: With its duration in whole milliseconds.
    """
    source = f"{event.input_summary} → " if event.input_summary else ""
    line = f"[{layer_code(event)}] {event.operation}: {source}{_outcome(event)}"
    if timed:
        line += f" ({event.duration_ms}ms)"
    saved = event.metadata.get("tokens_saved")
    if isinstance(saved, int) and not isinstance(saved, bool):
        line += f" [saved {saved} tokens]"
    return printable(line)


def indent(depth: int) -> str:
    """Return what stands before a line at this depth; 0 is a root."""
    return " " * (4 * depth - 2) + "└─" if depth else ""


def _outcome(event: TraceEvent) -> str:
    if event.status == "error":
        kind = event.metadata.get("error.type")
        return f"error: {kind}" if kind else "error"
    return event.output_summary or event.status


def layer_code(event: TraceEvent) -> str:
    """Read the layer's code off the handle: a layer's plugin need not be here where its events are shown."""
    return code_of(event.trace_id) or event.hrm_layer[:3]


def _families(events: Sequence[TraceEvent]) -> tuple[dict[int, list[TraceEvent]], list[TraceEvent]]:
    by_handle: dict[str, list[TraceEvent]] = defaultdict(list)
    for event in events:
        by_handle[event.trace_id].append(event)
    children: dict[int, list[TraceEvent]] = defaultdict(list)
    roots = []
    for event in events:
        parent = _parent(event, by_handle.get(event.parent_id, []) if event.parent_id else [])
        if parent is None:
            roots.append(event)
        else:
            children[id(parent)].append(event)
    return children, roots


def _parent(event: TraceEvent, candidates: Sequence[TraceEvent]) -> TraceEvent | None:
    """Choose among those with the parent's handle: across processes and runs there may be several."""
    of_same_trace = [each for each in candidates if each.otel_trace_id == event.otel_trace_id]
    for each in of_same_trace:
        if each.pid == event.pid:
            return each
    return of_same_trace[0] if of_same_trace else None


def _start(event: TraceEvent) -> tuple[float, int]:
    try:
        return datetime.fromisoformat(event.timestamp).timestamp(), event.start_mono_ns or 0
    except (ValueError, OverflowError, OSError):
        return 0.0, event.start_mono_ns or 0
