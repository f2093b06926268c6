from __future__ import annotations

import json
from pathlib import Path

import pytest

from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.diagnose.schema import schema_text

IN_DOCS = Path(__file__).parents[2] / "docs" / "diagnostic-report.schema.json"


def test_the_schema_in_the_docs_is_the_models() -> None:
    """Whoever changes the report makes the schema afresh: `python -m dam_obs.diagnose.schema`."""
    assert IN_DOCS.read_text(encoding="utf-8") == schema_text()


def test_every_key_of_a_report_is_in_the_schema(report: DiagnosticReport) -> None:
    """And the schema asks for none that a report lacks."""
    schema = json.loads(schema_text())
    written = json.loads(report.model_dump_json())
    parts = {"SystemDiagnosis": written["systems"][0], "Quality": written["quality"], "FrameNode": written["flame"]}

    assert set(schema["properties"]) == set(written)
    for name, part in parts.items():
        assert set(schema["$defs"][name]["properties"]) == set(part)
        assert set(schema["$defs"][name]["required"]) <= set(part)


@pytest.mark.parametrize("field", ["measured", "other_ns"])
def test_fields_are_described(field: str) -> None:
    """The docstrings in the code are the descriptions in the schema."""
    assert json.loads(schema_text())["$defs"]["TimeSplit"]["properties"][field]["description"]
