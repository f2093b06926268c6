"""Rules and alerts: every figure in them is one the pipeline emits, every alert is tested both ways and explained."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "collector-config" / "prometheus"
PAGE = ROOT / "docs" / "backends" / "jaeger-and-prometheus.md"
SUFFIXES = ("_bucket", "_sum", "_count")
WORDS = {"and", "or", "unless", "on", "by", "sum", "rate", "offset", "increase"}
WORDS |= {"histogram_quantile", "quantile_over_time", "count_over_time", "avg_over_time", "min_over_time"}
SCRAPED = {"job", "instance"}


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


RULES = _rules()
ALERTS = sorted(rule["alert"] for rule in RULES if "alert" in rule)
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
METRICS = tomllib.loads((ROOT / "collector-config" / "metrics.toml").read_text())
TESTS = yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text())["tests"]


def _names(expression: str) -> set[str]:
    """Return the names in an expression that are neither labels nor words of PromQL."""
    bare = re.sub(r'\{[^}]*\}|"[^"]*"|\[[^\]]*\]', " ", expression)
    bare = re.sub(r"\b(by|on)\s*\([^)]*\)", " ", bare)
    return set(re.findall(r"[a-z_:][a-z_:0-9]*", re.sub(r"\b\d+[a-z]+\b", " ", bare))) - WORDS


def _emitted(name: str) -> dict[str, Any] | None:
    """Return the table's entry of a series."""
    if name in METRICS:
        return METRICS[name]
    base = next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)
    found = METRICS.get(base)
    return found if found and found["type"] == "histogram" else None


@pytest.mark.parametrize("rule", RULES, ids=[rule.get("alert") or rule["record"] for rule in RULES])
def test_every_figure_is_one_that_is_emitted_or_recorded(rule):
    """By the table of what comes out of the pipeline; `up` is Prometheus' own."""
    names = _names(rule["expr"])

    assert names
    assert {name for name in names if name not in RECORDED | {"up"} and _emitted(name) is None} == set()


@pytest.mark.parametrize("rule", RULES, ids=[rule.get("alert") or rule["record"] for rule in RULES])
def test_every_label_is_one_of_its_figures(rule):
    """Those it sums by and those it selects by."""
    selected = re.findall(r"(\w+)=~?\"", rule["expr"])
    grouped = [
        name for names in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", rule["expr"]) for name in re.split(r",\s*", names)
    ]
    entries = [_emitted(name) for name in _names(rule["expr"]) if _emitted(name)]
    known = {label for entry in entries for label in (*entry["always"], *entry.get("sometimes", ()))}
    if not entries or _names(rule["expr"]) & RECORDED:
        known |= {label for each in METRICS.values() for label in (*each["always"], *each.get("sometimes", ()))}

    assert {*selected, *grouped} - known - SCRAPED - {"le"} == set()


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_tested_both_ways(alert):
    """It fires in one case, and does not in another or not for another series."""
    cases = [case for test in TESTS for case in test["alert_rule_test"] if case["alertname"] == alert]

    assert {bool(case["exp_alerts"]) for case in cases} == {True, False}


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_says_how_bad_it_is_and_where_to_look(alert):
    """In itself and on the page."""
    (rule,) = (rule for rule in RULES if rule.get("alert") == alert)

    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "look"}
    assert f"| `{alert}` |" in PAGE.read_text()


def test_every_recorded_figure_is_on_the_page():
    """So that somebody who meets one finds what it is."""
    page = PAGE.read_text()

    assert [name for name in sorted(RECORDED) if f"`{name}`" not in page] == []
