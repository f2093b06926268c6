"""The scheduler of `dam_traits` worlds: what is dispatched, what waits, and how full the pools are."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.model import Chart, Dashboard, Query, Row, Threshold
from dashboards.names import (
    CHOSEN_WORLD,
    EXECUTIONS,
    POOL_CAPACITY,
    POOL_USED,
    POOL_WAITING,
    SCHEDULER,
    SERVICES,
    WAITED,
    WORLDS,
)
from dashboards.points import LayerOperations
from dashboards.promql import CALLS, SERVICE, quantile, rate, selector, share, where

POOL = "{{job}}: {{dam_world}} {{dam_pool}}"
FULL = (Threshold(value=0.8, color="orange"), Threshold(value=0.95, color="red"))


def page(layers: Sequence[LayerOperations]) -> Dashboard:
    """Make the page."""
    return Dashboard(
        uid=SCHEDULER,
        title="dam-obs: scheduler and pools",
        description="What worlds of dam_traits run, what has to wait, and how full their pools are.",
        choices=(SERVICES, WORLDS),
        rows=(
            Row(title="Pools", panels=_pools()),
            Row(title="Waiting for pools", panels=_waiting()),
            Row(title="Running", panels=_running()),
        ),
    )


def _pools() -> tuple[Chart, ...]:
    by = (SERVICE, "dam_world", "dam_pool")
    used, capacity, waiting = (
        f"max by ({', '.join(by)}) ({selector(metric, CHOSEN_WORLD)})"
        for metric in (POOL_USED, POOL_CAPACITY, POOL_WAITING)
    )
    return (
        Chart(
            title="How full pools are",
            meaning="What running systems hold of each pool that has a capacity.",
            queries=(Query(expr=f"{used} / ({capacity} > 0)", legend=POOL),),
            unit="percentunit",
            top=1,
            thresholds=FULL,
        ),
        Chart(
            title="Held",
            meaning="Units of each pool that running systems hold, with or without a capacity.",
            queries=(Query(expr=used, legend=POOL),),
            unit="short",
        ),
        Chart(
            title="Requests that wait",
            meaning="Executions that need a pool, or one below it, and have not got it.",
            queries=(Query(expr=waiting, legend=POOL),),
            unit="short",
        ),
    )


def _waiting() -> tuple[Chart, ...]:
    acquire = where(layer="system", operation="acquire")
    return (
        Chart(
            title="Had to wait",
            meaning="Share of executions that did not get their pools at once.",
            queries=(Query(expr=share(CALLS, where(status="blocked"), acquire), legend="had to wait"),),
            unit="percentunit",
            top=1,
        ),
        Chart(
            title="How long pools are waited for",
            meaning="Of all executions, those that got their pools at once too.",
            queries=tuple(
                Query(expr=quantile(q, acquire), legend=legend, exemplars=q > 0.9)
                for q, legend in ((0.5, "half within"), (0.95, "95 % within"), (0.99, "99 % within"))
            ),
            unit="ms",
        ),
        Chart(
            title="Who waits",
            meaning="Seconds waited for pools, a second: 1 is one execution that always waits.",
            queries=(Query(expr=rate(WAITED, CHOSEN_WORLD, "dam_system"), legend="{{dam_system}}"),),
            unit="none",
        ),
    )


def _running() -> tuple[Chart, ...]:
    dispatch = where(layer="system", operation="dispatch")
    return (
        Chart(
            title="Commands",
            meaning="Commands dispatched, a second.",
            queries=(Query(expr=rate(CALLS, dispatch), legend="commands"),),
            unit="ops",
        ),
        Chart(
            title="How long a command takes",
            meaning="From its first result asked for to its last, waiting for pools included.",
            queries=tuple(
                Query(expr=quantile(q, dispatch), legend=legend, exemplars=q > 0.9)
                for q, legend in ((0.5, "half within"), (0.95, "95 % within"))
            ),
            unit="ms",
        ),
        Chart(
            title="How executions end",
            meaning="Executions that ended, a second.",
            queries=(Query(expr=rate(EXECUTIONS, CHOSEN_WORLD, "dam_status"), legend="{{dam_status}}"),),
            unit="ops",
            stacked=True,
        ),
    )
