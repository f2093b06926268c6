"""The committed dashboards, and the figures that the pipeline makes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "dashboards"
GENERATED = {path.stem: path for path in sorted((DASHBOARDS / "generated").glob("*.json"))}


@pytest.fixture(params=GENERATED, scope="session")
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each committed dashboard."""
    return json.loads(GENERATED[request.param].read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def all_dashboards() -> dict[str, dict[str, Any]]:
    """All of them, by uid."""
    loaded = [json.loads(path.read_text(encoding="utf-8")) for path in GENERATED.values()]
    return {each["uid"]: each for each in loaded}


@pytest.fixture(scope="session")
def figures() -> dict[str, set[str]]:
    """Every series that the pipeline makes, and its labels."""
    table = tomllib.loads((ROOT / "collector-config" / "metrics.toml").read_text(encoding="utf-8"))
    # Prometheus' own, of the alerts in rules.yml: each keeps the program that it is about.
    found: dict[str, set[str]] = {"ALERTS": {"alertname", "alertstate", "severity", "job"}}
    for name, each in table.items():
        labels = {*each["always"], *each.get("sometimes", ())}
        if each["from"] in ("collector", "gateway"):
            labels |= {"job", "instance"}  # what Prometheus puts on whatever it reads
        if each["type"] == "histogram":
            found |= {f"{name}_bucket": {*labels, "le"}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            found[name] = labels
    return found
