"""
What dam_traits brings to dam-obs: trace points, metrics of pools and systems, one trace over processes.

The one module of dam_traits that knows dam-obs. It is loaded by dam-obs, as a plugin of the
entry-point group ``dam_obs``, and by `carrying` once dam-obs is in the process.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.metrics import _internal as otel_metrics

from dam_obs import hookimpl
from dam_obs.points import remote

if TYPE_CHECKING:
    from dam_traits.learning import SystemTotals
    from dam_traits.pools import PoolState

TRACE_POINTS: Final = Path(__file__).parent / "trace_points"

carry = remote.carry
resume = remote.resume
bring = remote.bring

_offered = False


@hookimpl
def dam_obs_trace_points() -> list[Path]:
    """Bring the points of dam_traits itself, and those of hosts that work alike."""
    return sorted(TRACE_POINTS.glob("*.toml"))


@hookimpl
def dam_obs_sinks() -> None:
    """Offer the metrics of pools when recording starts; there is no sink of ours."""
    global _offered
    if not _offered:
        _offered = True
        offer_metrics()


def offer_metrics() -> None:
    """Let the program's metrics show pools and systems of all worlds; they are looked at when metrics are collected."""
    # `get_meter_provider()` would make one where OTEL_PYTHON_METER_PROVIDER asks for it: that is the program's to do.
    provider = otel_metrics._METER_PROVIDER or otel_metrics._PROXY_METER_PROVIDER
    meter = provider.get_meter("dam_traits")
    meter.create_observable_gauge(
        "dam.traits.pool.used", [_reading(lambda pool: pool.used)], "{unit}", "What running systems hold of a pool"
    )
    meter.create_observable_gauge(
        "dam.traits.pool.capacity", [_reading(lambda pool: pool.capacity)], "{unit}", "How much of a pool there is"
    )
    meter.create_observable_gauge(
        "dam.traits.pool.waiting", [_reading(lambda pool: pool.waiting)], "{request}", "Requests that wait for a pool"
    )
    meter.create_observable_counter(
        "dam.traits.executions", [_executions], "{execution}", "Executions that have ended, by how they ended"
    )
    for name, (value, unit, description) in _OF_SYSTEMS.items():
        meter.create_observable_counter(name, [_adding(value)], unit, description)


def _reading(value: Callable[[PoolState], int | None]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def read(options: CallbackOptions) -> Iterator[Observation]:
        for world in _worlds():
            for pool in world.pools.state():
                number = value(pool)
                if number is not None:
                    yield Observation(number, {"dam.world": world.name, "dam.pool": pool.path})

    return read


_OF_SYSTEMS: Final[Mapping[str, tuple[Callable[[SystemTotals], float], str, str]]] = {
    "dam.traits.time.waited": (lambda totals: totals.waited_ns / 1e9, "s", "Time that executions waited for pools"),
    "dam.traits.reckoned": (
        lambda totals: totals.reckoned,
        "{execution}",
        "Executions that succeeded and whose time had been reckoned with",
    ),
    "dam.traits.time.predicted": (
        lambda totals: totals.predicted_ms / 1e3,
        "s",
        "Time that was reckoned with for them",
    ),
    "dam.traits.time.observed": (lambda totals: totals.observed_ns / 1e9, "s", "Time that they took"),
    "dam.traits.underestimated": (
        lambda totals: totals.underestimated,
        "{execution}",
        "Those of them that took longer than was reckoned with",
    ),
}


def _adding(value: Callable[[SystemTotals], float]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def read(options: CallbackOptions) -> Iterator[Observation]:
        sums: dict[tuple[str, str], float] = {}
        for world in _worlds():
            for system, totals in world.totals.by_system().items():
                sums[world.name, system] = sums.get((world.name, system), 0) + value(totals)
        for (name, system), number in sums.items():
            yield Observation(number, {"dam.world": name, "dam.system": system})

    return read


def _executions(options: CallbackOptions) -> Iterator[Observation]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for world in _worlds():
        for system, totals in world.totals.by_system().items():
            for status, number in tuple(totals.executions.items()):
                sums[world.name, system, status] += number
    for (name, system, status), number in sums.items():
        yield Observation(number, {"dam.world": name, "dam.system": system, "dam.status": status})


def _worlds() -> list[Any]:
    # Not imported: a program in which dam_traits is merely installed has no worlds.
    module = sys.modules.get("dam_traits.world")
    return [] if module is None else sorted(module.worlds, key=lambda world: str(world.name))
