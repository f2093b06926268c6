"""
Queries on what the gateway makes of spans: how many, how long, which share.

A rate is per second. `EACH` is for what is drawn over time, `ALL` for one number of the whole time shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EACH: Final = "$__rate_interval"
ALL: Final = "$__range"

CALLS: Final = "dam_calls_total"
DURATION: Final = "dam_duration_milliseconds"

SERVICE: Final = "job"
"""What Prometheus calls a program: its ``service.name``, after its namespace if it has one."""
LAYER: Final = "dam_layer"
OPERATION: Final = "dam_operation"
STATUS: Final = "dam_status"
COMPONENT: Final = "dam_component"

CHOSEN: Final = {SERVICE: "~$service"}
"""The services that are chosen at the top of the page."""


def where(**labels: str) -> dict[str, str]:
    """Return what a label must be, for spans of the chosen services; a value that begins with ``~`` is a pattern."""
    return {**CHOSEN, **{f"dam_{name}": value for name, value in labels.items()}}


def any_of(*values: str) -> str:
    """Return a pattern that each of these fits."""
    return "~" + "|".join(values)


def selector(metric: str, labels: Mapping[str, str]) -> str:
    """Return the series of a metric with such labels."""
    if not labels:
        return metric
    tests = (
        f'{name}=~"{value[1:]}"' if value.startswith("~") else f'{name}="{value}"' for name, value in labels.items()
    )
    return f"{metric}{{{', '.join(tests)}}}"


def rate(metric: str, labels: Mapping[str, str], *by: str, over: str = EACH) -> str:
    """Return how fast a counter grows, summed for each value of `by`."""
    return f"sum{_by(by)} (rate({selector(metric, labels)}[{over}]))"


def increase(metric: str, labels: Mapping[str, str], *by: str, over: str = ALL) -> str:
    """Return by how much a counter grew, summed for each value of `by`."""
    return f"sum{_by(by)} (increase({selector(metric, labels)}[{over}]))"


def quantile(q: float, labels: Mapping[str, str], *by: str, over: str = EACH) -> str:
    """Return how long the slowest but `q` of the spans took, in milliseconds."""
    return f"histogram_quantile({q:g}, {rate(f'{DURATION}_bucket', labels, 'le', *by, over=over)})"


def share(metric: str, part: Mapping[str, str], of: Mapping[str, str], *by: str, over: str = EACH) -> str:
    """Return which share of `of` is also `part`: 0 where none is, nothing where there was nothing."""
    whole = rate(metric, of, *by, over=over)
    some = rate(metric, {**of, **part}, *by, over=over)
    return ratio(f"({or_none(some, whole)})", whole)


def or_none(some: str, of: str) -> str:
    """Return some figures, or 0 where there are none but there is something that they would be of."""
    return f"{some} or 0 * {of}"


def ratio(above: str, below: str) -> str:
    """Return one over the other, and nothing where the other is 0."""
    return f"{above} / ({below} > 0)"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""
