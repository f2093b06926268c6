"""Systems and their traits: what the scheduler reckons with, held against what is seen."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.model import Chart, Choice, Column, Dashboard, Heatmap, Query, Row, Table, Threshold
from dashboards.names import (
    CHOSEN_WORLD,
    ERRORS,
    EXECUTIONS,
    OBSERVED,
    PREDICTED,
    RECKONED,
    SERVICES,
    SYSTEMS,
    UNDERESTIMATED,
    WORLDS,
    link_to,
)
from dashboards.points import LayerOperations
from dashboards.promql import (
    ALL,
    CALLS,
    COMPONENT,
    DURATION,
    SERVICE,
    increase,
    quantile,
    rate,
    ratio,
    share,
    where,
)

BY = "dam_system"
LEGEND = "{{dam_system}}"
CHOSEN = {**CHOSEN_WORLD, BY: "~$system"}
SYSTEM = Choice(name="system", label="System", metric=EXECUTIONS, of=BY)
DRIFT = (Threshold(value=1.25, color="orange"), Threshold(value=2, color="red"))
"""From which ratio of seen to reckoned on: an execution that takes longer than was reckoned with is what hurts."""


def page(layers: Sequence[LayerOperations]) -> Dashboard:
    """Make the page."""
    return Dashboard(
        uid=SYSTEMS,
        title="dam-obs: systems and their traits",
        description="How long systems run, and how true the traits are that the scheduler reckons with.",
        choices=(SERVICES, WORLDS, SYSTEM),
        rows=(
            Row(title="Predicted against observed", panels=(_table(), *_charts())),
            Row(title="Runs of systems", panels=(_runs(), _heatmap())),
        ),
    )


def _table() -> Table:
    observed, predicted, reckoned, too_short = (
        increase(metric, CHOSEN, SERVICE, BY) for metric in (OBSERVED, PREDICTED, RECKONED, UNDERESTIMATED)
    )
    return Table(
        title="Traits",
        meaning="For executions that succeeded and whose time had been reckoned with, in the time shown.",
        queries=(
            Query(expr=reckoned, legend="reckoned"),
            Query(expr=ratio(predicted, reckoned), legend="predicted"),
            Query(expr=ratio(observed, reckoned), legend="observed"),
            Query(expr=ratio(observed, predicted), legend="drift"),
            Query(expr=ratio(too_short, reckoned), legend="too short"),
        ),
        columns=(
            Column(name=SERVICE, title="Service"),
            Column(name=BY, title="System", link=link_to(SYSTEMS, system="${__value.raw}")),
            Column(name="reckoned", title="Executions", unit="short"),
            Column(name="predicted", title="Predicted, mean", unit="s"),
            Column(name="observed", title="Observed, mean", unit="s"),
            Column(name="drift", title="Observed / predicted", unit="none", thresholds=DRIFT),
            Column(name="too short", title="Under-estimated", unit="percentunit"),
        ),
        sort_by="Observed / predicted",
    )


def _charts() -> tuple[Chart, ...]:
    observed, predicted = rate(OBSERVED, CHOSEN, BY), rate(PREDICTED, CHOSEN, BY)
    reckoned, too_short = rate(RECKONED, CHOSEN, BY), rate(UNDERESTIMATED, CHOSEN, BY)
    return (
        Chart(
            title="Observed over predicted",
            meaning="1 where traits are true; above it, executions take longer than the scheduler reckons with.",
            queries=(Query(expr=ratio(observed, predicted), legend=LEGEND),),
            unit="none",
            thresholds=DRIFT,
        ),
        Chart(
            title="Mean of both",
            meaning="What an execution was reckoned to take, and what it took.",
            queries=(
                Query(expr=ratio(predicted, reckoned), legend=f"predicted {LEGEND}"),
                Query(expr=ratio(observed, reckoned), legend=f"observed {LEGEND}"),
            ),
            unit="s",
        ),
        Chart(
            title="Under-estimated",
            meaning="Share of executions that took longer than was reckoned with.",
            queries=(Query(expr=ratio(too_short, reckoned), legend=LEGEND),),
            unit="percentunit",
            top=1,
        ),
    )


def _runs() -> Table:
    runs = where(layer="system", operation="execute")
    by = (SERVICE, COMPONENT)
    return Table(
        title="Systems",
        meaning="Every run of a system, of any host that dam-obs observes; the name is that of its function or class.",
        queries=(
            Query(expr=increase(CALLS, runs, *by), legend="count"),
            Query(expr=share(CALLS, where(status="error"), runs, *by, over=ALL), legend="failed"),
            Query(expr=share(CALLS, where(status="blocked"), runs, *by, over=ALL), legend="refused"),
            Query(expr=quantile(0.5, runs, *by, over=ALL), legend="p50"),
            Query(expr=quantile(0.95, runs, *by, over=ALL), legend="p95"),
        ),
        columns=(
            Column(name=SERVICE, title="Service"),
            Column(name=COMPONENT, title="System"),
            Column(name="count", title="Runs", unit="short"),
            Column(name="failed", title="Failed", unit="percentunit", thresholds=ERRORS),
            Column(name="refused", title="Refused", unit="percentunit"),
            Column(name="p50", title="Half within", unit="ms"),
            Column(name="p95", title="95 % within", unit="ms"),
        ),
        sort_by="Runs",
    )


def _heatmap() -> Heatmap:
    runs = where(layer="system", operation="execute")
    return Heatmap(
        title="How long runs take",
        meaning="All runs of systems by their duration. The dots are examples, and lead to their traces.",
        query=Query(expr=rate(f"{DURATION}_bucket", runs, "le"), legend="{{le}}", exemplars=True),
        unit="ms",
    )
