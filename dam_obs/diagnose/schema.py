"""
The JSON Schema of ``report.json``, for those who read reports without dam-obs.

``python -m dam_obs.diagnose.schema`` prints it. ``docs/diagnostic-report.schema.json`` is what it
printed, and a test makes it afresh. Descriptions are the docstrings of `report`.
"""

from __future__ import annotations

import json
import sys

from dam_obs.diagnose.report import DiagnosticReport

ORIGIN = "Made by `python -m dam_obs.diagnose.schema` from dam_obs/diagnose/report.py; edit that and run it again."
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """Return the schema as it stands in the docs."""
    schema = DiagnosticReport.model_json_schema(mode="serialization")
    return json.dumps({"$schema": DIALECT, "$comment": ORIGIN, **schema}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
