"""
Whether the numbers of a ``report.json`` can be those of a run.

Anybody may have written the file. What is computed from it later divides, takes roots and
logarithms; so it is looked at once, where it is read, and nobody else has to ask.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

MOST: Final = 10**30
"""Nothing that is counted, timed or added up is more."""

_FREE: Final = frozenset({"features", "coefficients", "categories", "slopes", "arguments", "valid_range", "by_status"})
"""Numbers in these may be negative, or names in them are not ours."""

_COUNTS: Final = frozenset(
    {"executions", "samples", "count", "counted", "measured", "bytes", "device_bytes", "concurrency_peak", "cpus"}
)


class Implausible(ValueError):
    """A number that no run has."""


def check_plausible(content: bytes) -> None:
    """
    Look at all numbers of a report.

    Raises:
        Implausible: one is not finite, too large, or negative where it counts something.
        ValueError: it is no JSON.
    """
    document = json.loads(content, parse_int=_whole, parse_float=_finite, parse_constant=_none)
    for path, value in _counts(document, ""):
        if value < 0:
            raise Implausible(f"{path} is negative")
    for number, system in enumerate(_systems(document)):
        executions, statuses = system.get("executions"), system.get("by_status")
        if isinstance(executions, int) and isinstance(statuses, Mapping) and not _adds_up(executions, statuses):
            raise Implausible(f"systems.{number}.by_status counts more than its executions")


def _systems(document: object) -> list[Mapping[str, Any]]:
    systems = document.get("systems") if isinstance(document, Mapping) else None
    return [each for each in systems if isinstance(each, Mapping)] if isinstance(systems, list) else []


def _adds_up(executions: int, statuses: Mapping[str, Any]) -> bool:
    counts = [count for count in statuses.values() if isinstance(count, int)]
    return executions >= 1 and all(count >= 0 for count in counts) and sum(counts) <= executions


def _counts(value: object, path: str) -> Iterator[tuple[str, float]]:
    """Yield what counts or times something, with where it stands."""
    waiting: list[tuple[object, str]] = [(value, path)]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, Mapping):
            for name, each in value.items():
                below = f"{path}.{name}".lstrip(".")
                if isinstance(each, int | float) and (name in _COUNTS or name.endswith(("_ns", "_bytes"))):
                    yield below, each
                elif name not in _FREE:
                    waiting.append((each, below))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            waiting += [(each, f"{path}.{number}") for number, each in enumerate(value)]


def _whole(text: str) -> int:
    if len(text) > len(str(MOST)) + 1 or abs(int(text)) > MOST:
        raise Implausible(f"{text[:20]}... is more than any run counts")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Implausible(f"{text[:20]} is more than any run counts")
    return number


def _none(text: str) -> float:
    raise Implausible(f"{text} is no number")
