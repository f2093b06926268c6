"""One trace of a run, as an example of what was recorded: the deepest of those that fit on a screen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from dam_obs.sinks.tree import render
from dam_obs.store.tree import traces
from dam_obs.trace.events import TraceEvent

LOOKED_AT = 5_000
"""Events from the beginning of the run among which an example is looked for."""

MOST_LINES = 12


def example_trace(events: Iterable[TraceEvent]) -> list[str]:
    """Return the lines of the tree; none if there is no whole trace that fits."""
    best: tuple[int, int, list[TraceEvent]] = (-1, 0, [])
    for trace in traces(islice(events, LOOKED_AT)):
        if trace.partial:
            continue
        nodes = list(islice(trace.root.walk(), MOST_LINES + 1))
        candidate = (max(depth for depth, _ in nodes), len(nodes), [node.event for _, node in nodes])
        if len(nodes) <= MOST_LINES and candidate[:2] > best[:2]:
            best = candidate
    return render(best[2])
