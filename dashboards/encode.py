"""
Grafana's JSON of a dashboard: the classic model, which Grafana from 11 on reads from a file.

Only what differs from Grafana's own defaults is written, and what it asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from dashboards.grid import Place, place
from dashboards.model import Chart, Choice, Column, Dashboard, Heatmap, Panel, Query, Row, Table, Text, Threshold

Json = dict[str, Any]

SCHEMA_VERSION: Final = 41
TAG: Final = "dam-obs"
PROMETHEUS_UID: Final = "dam-prometheus"
JAEGER_UID: Final = "dam-jaeger"
SOURCE: Final[Json] = {"type": "prometheus", "uid": "${prometheus}"}

_PLAIN: Final = "green"


def encode(dashboard: Dashboard) -> Json:
    """Return the dashboard as Grafana keeps it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [_others()],
        "templating": {"list": [_source(), *map(_choice, dashboard.choices)]},
        "panels": [_placed(number, at, what) for number, (at, what) in enumerate(place(dashboard.rows), start=1)],
    }


def _others() -> Json:
    return {
        "title": "dam-obs",
        "type": "dashboards",
        "tags": [TAG],
        "asDropdown": True,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "The other dashboards of dam-obs",
        "url": "",
    }


def _source() -> Json:
    return {
        "name": "prometheus",
        "type": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "current": {"selected": True, "text": "dam-obs Prometheus", "value": PROMETHEUS_UID},
    }


def _choice(choice: Choice) -> Json:
    query = f"label_values({choice.metric}, {choice.of})"
    return {
        "name": choice.name,
        "type": "query",
        "label": choice.label,
        "datasource": SOURCE,
        "query": {"query": query, "refId": f"choice-{choice.name}"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _placed(number: int, at: Place, what: Row | Panel) -> Json:
    position = {"x": at.x, "y": at.y, "w": at.width, "h": at.height}
    return {"id": number, "gridPos": position, **_what(what)}


def _what(what: Row | Panel) -> Json:
    match what:
        case Row():
            return {"type": "row", "title": what.title, "collapsed": False, "panels": []}
        case Text():
            return {"type": "text", "title": what.title, "options": {"mode": "markdown", "content": what.content}}
        case Chart():
            return _chart(what)
        case Table():
            return _table(what)
        case Heatmap():
            return _heatmap(what)


def _panel(kind: str, panel: Chart | Table | Heatmap, targets: Sequence[Json], options: Json, fields: Json) -> Json:
    return {
        "type": kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": SOURCE,
        "targets": list(targets),
        "options": options,
        "fieldConfig": fields,
    }


def _chart(chart: Chart) -> Json:
    targets = _targets(chart.queries, {"range": True})
    defaults: Json = {"unit": chart.unit, "min": 0, "thresholds": _thresholds(chart.thresholds)}
    if chart.top is not None:
        defaults["max"] = chart.top
    if chart.kind == "timeseries":
        defaults |= {"color": {"mode": "palette-classic"}, "custom": _drawing(chart)}
        options = _LINES
    else:
        defaults["color"] = {"mode": "thresholds"}
        options = _STAT
    return _panel(chart.kind, chart, targets, options, {"defaults": defaults, "overrides": []})


_REDUCE: Final[Json] = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_LINES: Final[Json] = {
    "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["mean", "max"]},
    "tooltip": {"mode": "multi", "sort": "desc"},
}
_STAT: Final[Json] = {
    "colorMode": "value",
    "graphMode": "area",
    "justifyMode": "auto",
    "orientation": "auto",
    "percentChangeColorMode": "standard",
    "reduceOptions": _REDUCE,
    "showPercentChange": False,
    "textMode": "auto",
    "wideLayout": True,
}


def _drawing(chart: Chart) -> Json:
    drawing: Json = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 20 if chart.stacked else 5,
        "showPoints": "auto",
    }
    if chart.stacked:
        drawing["stacking"] = {"mode": "normal", "group": "A"}
    if chart.thresholds:
        drawing["thresholdsStyle"] = {"mode": "dashed"}
    return drawing


def _table(table: Table) -> Json:
    targets = _targets(table.queries, {"instant": True, "range": False, "format": "table"})
    field_of = {query.legend: f"Value #{target['refId']}" for query, target in zip(table.queries, targets, strict=True)}
    shown = [field_of.get(column.name, column.name) for column in table.columns]
    organize = {
        "includeByName": dict.fromkeys(shown, True),
        "indexByName": {name: number for number, name in enumerate(shown)},
        "renameByName": {name: column.title for name, column in zip(shown, table.columns, strict=True)},
    }
    panel = _panel(
        "table",
        table,
        targets,
        {
            "showHeader": True,
            "frameIndex": 0,
            "cellHeight": "sm",
            "sortBy": [{"displayName": table.sort_by, "desc": True}],
        },
        {
            "defaults": {"custom": {"align": "auto", "filterable": True}, "thresholds": _thresholds(())},
            "overrides": [each for column in table.columns for each in _override(column)],
        },
    )
    panel["transformations"] = [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}]
    return panel


def _override(column: Column) -> Iterable[Json]:
    properties: list[Json] = []
    if column.unit is not None:
        properties.append({"id": "unit", "value": column.unit})
    if column.thresholds:
        properties.append({"id": "thresholds", "value": _thresholds(column.thresholds)})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    if column.link is not None:
        link = {"title": f"Show this {column.title.lower()}", "url": column.link}
        properties.append({"id": "links", "value": [link]})
    if properties:
        yield {"matcher": {"id": "byName", "options": column.title}, "properties": properties}


def _heatmap(heatmap: Heatmap) -> Json:
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "mode": "scheme",
            "scheme": "Oranges",
            "exponent": 0.5,
            "fill": "dark-orange",
            "reverse": False,
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "unit": heatmap.unit},
    }
    targets = _targets((heatmap.query,), {"range": True, "format": "heatmap"})
    return _panel("heatmap", heatmap, targets, options, {"defaults": {}, "overrides": []})


def _targets(queries: Sequence[Query], how: Json) -> list[Json]:
    return [_target(chr(ord("A") + number), query, how) for number, query in enumerate(queries)]


def _target(ref: str, query: Query, how: Json) -> Json:
    target: Json = {"refId": ref, "datasource": SOURCE, "editorMode": "code", "expr": query.expr, **how}
    if query.legend:
        target["legendFormat"] = query.legend
    if query.exemplars:
        target["exemplar"] = True
    return target


def _thresholds(thresholds: Iterable[Threshold]) -> Json:
    steps: list[Json] = [{"color": _PLAIN, "value": None}]
    steps += ({"color": each.color, "value": each.value} for each in thresholds)
    return {"mode": "absolute", "steps": steps}
