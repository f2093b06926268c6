"""Flatten the flame graph for the page's script: each name once, nodes as numbers, not more than a browser likes."""

from __future__ import annotations

import heapq
from typing import Final

from dam_obs.diagnose.page import units
from dam_obs.diagnose.page.text import shown
from dam_obs.diagnose.page.view import FlameView
from dam_obs.diagnose.report import FrameNode

MOST_NODES: Final = 20_000
"""Nodes beyond these, the smallest ones, are left out: they would be narrower than a hair."""

LONGEST_NAME: Final = 200


def flame_view(root: FrameNode, most: int = MOST_NODES) -> FlameView:
    """Return `root` and what is below it, the largest `most` nodes, each after its parent."""
    names: dict[str, int] = {}
    places: dict[str, int] = {}
    nodes: list[int] = []
    samples: list[int] = []
    cut = 0
    turn = 0
    # The largest first, and siblings in their order: a parent is never smaller than its child, nor later.
    waiting: list[tuple[int, int, int, FrameNode]] = [(-root.samples, turn, -1, root)]
    while waiting:
        _, _, parent, node = heapq.heappop(waiting)
        if len(samples) >= most:
            cut += 1 + _below(node)
            continue
        me = len(samples)
        nodes += [parent, _index(names, node.name), _index(places, _place(node))]
        samples.append(node.samples)
        for child in node.children:
            turn += 1
            heapq.heappush(waiting, (-child.samples, turn, me, child))
    return FlameView(
        names=list(names), places=list(places), nodes=nodes, samples=samples, cut=units.count(cut) if cut else ""
    )


def _below(node: FrameNode) -> int:
    """Count what is below `node`, without recursion: stacks may be deep."""
    found, left = 0, list(node.children)
    while left:
        found += 1
        left.extend(left.pop().children)
    return found


def _index(known: dict[str, int], text: str) -> int:
    return known.setdefault(shown(text, LONGEST_NAME), len(known))


def _place(node: FrameNode) -> str:
    return f"{node.file}:{node.line}" if node.line is not None else node.file
