"""
What can be traced, by layer: read from the trace-point files that the plugins bring.

A foreign host's file counts as well as our own; an operation that several files name is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dam_obs.points.load import load_file
from dam_obs.points.model import TracePoint
from dam_obs.trace.layers import layers

ROOT: Final = Path(__file__).resolve().parent.parent
FILES: Final = "plugins/*/dam_*/trace_points/*.toml"
OWN: Final = ("dam_hrm", "dam_traits", "dam_entities")
"""Hosts whose words for an operation go before those of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a layer."""

    name: str
    """Without its layer."""
    meaning: str
    hosts: tuple[str, ...]
    can_be_blocked: bool
    is_moment: bool
    """It has no duration."""
    is_detail: bool
    """Only recorded where the program asks for level ``debug``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerOperations:
    """A layer and what happens in it."""

    name: str
    operations: tuple[Operation, ...]

    def only(self, *, blocked: bool = False, timed: bool = False) -> tuple[str, ...]:
        """Return the names of those that can be blocked, of those that last, or of all."""
        return tuple(
            each.name
            for each in self.operations
            if (each.can_be_blocked or not blocked) and not (each.is_moment and timed)
        )


def read_layers(root: Path = ROOT) -> tuple[LayerOperations, ...]:
    """Return all layers that have operations, in the order that dam-obs lists them."""
    found: dict[str, dict[str, list[tuple[str, TracePoint]]]] = {}
    for file in sorted(map(load_file, root.glob(FILES)), key=lambda each: (each.host not in OWN, each.path.name)):
        for point in file.points:
            found.setdefault(point.layer.name, {}).setdefault(point.operation, []).append((file.host, point))
    return tuple(
        LayerOperations(name=layer.name, operations=tuple(_operation(each) for each in found[layer.name].values()))
        for layer in layers()
        if layer.name in found
    )


def _operation(points: list[tuple[str, TracePoint]]) -> Operation:
    _, first = points[0]
    return Operation(
        name=first.operation,
        meaning=first.meaning,
        hosts=tuple(dict.fromkeys(host for host, _ in points)),
        can_be_blocked=any(_blocks(point) for _, point in points),
        is_moment=first.kind == "event",
        is_detail=all(point.level == "debug" for _, point in points),
    )


def _blocks(point: TracePoint) -> bool:
    return any(target.reads.blocked is not None for target in point.targets)


def named(all_layers: Iterable[LayerOperations], name: str) -> LayerOperations:
    """Return the layer of this name."""
    return next(each for each in all_layers if each.name == name)
