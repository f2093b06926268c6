"""The first page: how much happens in each layer, how long it takes, what fails and what is refused."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.model import Chart, Column, Dashboard, Query, Row, Table, Threshold, Unit
from dashboards.names import ERRORS, LAYERS, OVERVIEW, REFUSALS, SERVICES, link_to
from dashboards.points import LayerOperations
from dashboards.promql import (
    ALL,
    CALLS,
    LAYER,
    OPERATION,
    SERVICE,
    any_of,
    increase,
    quantile,
    rate,
    selector,
    share,
    where,
)


def page(layers: Sequence[LayerOperations]) -> Dashboard:
    """Make the page."""
    known = any_of(*(each.name for each in layers))
    return Dashboard(
        uid=OVERVIEW,
        title="dam-obs: overview",
        description="All layers of the programs that dam-obs observes: how much, how long, what fails.",
        choices=(SERVICES,),
        rows=(
            Row(title="Now", panels=(*_now(), _alerts())),
            Row(title="By layer", panels=_by_layer(known)),
            Row(title="By operation", panels=(_operations(known),)),
        ),
    )


def _now() -> tuple[Chart, ...]:
    every, runs = where(layer="~.+"), where(layer="system", operation="execute")
    failed, refused = (share(CALLS, where(status=status), every) for status in ("error", "blocked"))
    return (
        _tile("Operations", "Spans of all layers, a second.", rate(CALLS, every), "ops"),
        _tile("Failed", "Share of operations that raised.", failed, "percentunit", ERRORS),
        _tile(
            "Refused",
            "Share of operations that were blocked: a gate denied, a pool was full, a system said no.",
            refused,
            "percentunit",
            REFUSALS,
        ),
        _tile("Runs of systems", "Executions of systems, a second.", rate(CALLS, runs), "ops"),
        _tile("A typical run", "Half of the executions of systems took no longer.", quantile(0.5, runs), "ms"),
        _tile("A slow run", "95 % of the executions of systems took no longer.", quantile(0.95, runs), "ms"),
    )


def _alerts() -> Table:
    firing = selector("ALERTS", {"alertstate": "firing"})
    by = ("alertname", "severity", SERVICE)
    return Table(
        title="Alerts",
        meaning="Alerts that fire, whatever is chosen above; their rules are in collector-config. Empty is good.",
        queries=(Query(expr=f"count by ({', '.join(by)}) ({firing})", legend="count"),),
        columns=(
            Column(name="alertname", title="Alert"),
            Column(name="severity", title="Severity"),
            Column(name=SERVICE, title="Service"),
            Column(name="count", title="How many", unit="short"),
        ),
        sort_by="How many",
        height=5,
    )


def _tile(title: str, meaning: str, expr: str, unit: Unit, thresholds: tuple[Threshold, ...] = ()) -> Chart:
    return Chart(
        title=title,
        meaning=meaning,
        queries=(Query(expr=expr),),
        unit=unit,
        kind="stat",
        thresholds=thresholds,
        width=4,
        height=5,
    )


def _by_layer(known: str) -> tuple[Chart, ...]:
    every = where(layer=known)
    legend = f"{{{{{LAYER}}}}}"
    return (
        Chart(
            title="Operations by layer",
            meaning="Spans of each layer, a second.",
            queries=(Query(expr=rate(CALLS, every, LAYER), legend=legend),),
            unit="ops",
            stacked=True,
        ),
        Chart(
            title="Slow operations by layer",
            meaning="95 % of a layer's operations took no longer. The dots are examples, and lead to their traces.",
            queries=(Query(expr=quantile(0.95, every, LAYER), legend=legend, exemplars=True),),
            unit="ms",
        ),
        Chart(
            title="Failed by layer",
            meaning="Share of a layer's operations that raised.",
            queries=(Query(expr=share(CALLS, where(status="error"), every, LAYER), legend=legend),),
            unit="percentunit",
            thresholds=ERRORS,
        ),
    )


def _operations(known: str) -> Table:
    every = where(layer=known)
    by = (SERVICE, LAYER, OPERATION)
    errors, refusals = where(status="error"), where(status="blocked")
    return Table(
        title="All operations",
        meaning="What happened in the time shown. A layer's name leads to its row on the page of layers.",
        queries=(
            Query(expr=increase(CALLS, every, *by), legend="count"),
            Query(expr=share(CALLS, errors, every, *by, over=ALL), legend="failed"),
            Query(expr=share(CALLS, refusals, every, *by, over=ALL), legend="refused"),
            Query(expr=quantile(0.5, every, *by, over=ALL), legend="p50"),
            Query(expr=quantile(0.95, every, *by, over=ALL), legend="p95"),
        ),
        columns=(
            Column(name=SERVICE, title="Service"),
            Column(name=LAYER, title="Layer", link=link_to(LAYERS, service="${__data.fields.Service}")),
            Column(name=OPERATION, title="Operation"),
            Column(name="count", title="Count", unit="short"),
            Column(name="failed", title="Failed", unit="percentunit", thresholds=ERRORS),
            Column(name="refused", title="Refused", unit="percentunit", thresholds=REFUSALS),
            Column(name="p50", title="Half within", unit="ms"),
            Column(name="p95", title="95 % within", unit="ms"),
        ),
        sort_by="Count",
        height=14,
    )
