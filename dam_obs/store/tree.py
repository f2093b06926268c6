"""
Put events together to traces: trees by who called whom.

Events of one file end in the order in which their spans ended, so children mostly stand
before their parents. A parent that is not in the file (still open, dropped, rotated
away) makes its child the root of a *partial* trace.

How a tree looks on a screen is `dam_obs.sinks.tree`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dam_obs.store.read import started
from dam_obs.trace.events import TraceEvent


@dataclass(slots=True, eq=False)
class TraceNode:
    """An event and those that ran within it."""

    event: TraceEvent
    children: list[TraceNode] = field(default_factory=list)
    """By when they started."""

    def walk(self) -> Iterator[tuple[int, TraceNode]]:
        """Yield this node and all below it with their depth, each before its children."""
        waiting = [(0, self)]
        while waiting:
            depth, node = waiting.pop()
            yield depth, node
            waiting.extend((depth + 1, child) for child in reversed(node.children))


@dataclass(frozen=True, slots=True)
class Trace:
    """A tree of events."""

    root: TraceNode

    partial: bool
    """The root has a parent that is not among the events."""


def traces(events: Iterable[TraceEvent]) -> Iterator[Trace]:
    """
    Group `events` into traces, by when their roots started.

    All events are held in memory: a trace is whole only when nothing more can belong to it.
    """
    nodes = [TraceNode(event) for event in events]
    parents = _Parents(nodes)
    roots: list[Trace] = []
    for node in nodes:
        parent = parents.of(node.event)
        if parent is None or parent is node:
            roots.append(Trace(node, partial=node.event.parent_id is not None))
        else:
            parent.children.append(node)
    roots.extend(_cut_circles(nodes, roots))

    moments = {id(node): started(node.event) for node in nodes}
    for node in nodes:
        node.children.sort(key=lambda child: moments[id(child)])
    yield from sorted(roots, key=lambda trace: moments[id(trace.root)])


class _Parents:
    """Finds an event's parent: by OpenTelemetry's id, else by the handle within the process, else by the handle."""

    def __init__(self, nodes: list[TraceNode]) -> None:
        self._by_span = {node.event.otel_span_id: node for node in nodes if node.event.otel_span_id}
        self._by_handle: dict[str, TraceNode] = {}
        self._by_process: dict[tuple[int | None, str], TraceNode] = {}
        for node in nodes:
            self._by_handle.setdefault(node.event.trace_id, node)
            self._by_process.setdefault((node.event.pid, node.event.trace_id), node)

    def of(self, event: TraceEvent) -> TraceNode | None:
        if event.otel_parent_id in self._by_span:
            return self._by_span[event.otel_parent_id]
        if event.parent_id is None:
            return None
        return self._by_process.get((event.pid, event.parent_id)) or self._by_handle.get(event.parent_id)


def _cut_circles(nodes: list[TraceNode], roots: list[Trace]) -> Iterator[Trace]:
    """Yield a root for each circle of parents, as a forged or mixed-up file may have: no event is lost by it."""
    reached = {id(node) for trace in roots for _, node in trace.root.walk()}
    parent_of = {id(child): node for node in nodes for child in node.children}
    for node in nodes:
        if id(node) in reached:
            continue
        parent_of[id(node)].children.remove(node)
        reached.update(id(below) for _, below in node.walk())
        yield Trace(node, partial=True)
