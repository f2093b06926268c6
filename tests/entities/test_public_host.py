"""
The trace points of Abstractions, on a stand-in of our own that has its modules, classes and methods.

It is run as a program, unmodified. That the file fits the project itself was tried by hand, see
docs/entities/public-host.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

STAND_IN = Path(__file__).parent / "stand_in"


def test_its_registries_are_observed_unmodified(tmp_path):
    """Every operation, with its data, below the one that it belongs to."""
    observed = [sys.executable, "-m", "dam_obs.cli", "run", "--output", "trace.jsonl", "--"]
    ran = subprocess.run(
        [*observed, sys.executable, STAND_IN / "main.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=110, check=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert ran.stdout.split() == ["Bob", "e1'", "False"]

    events = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    names = {event["trace_id"]: event["operation"] for event in events}
    seen = [
        (event["operation"], names.get(event["parent_id"]), event["metadata"])
        for event in sorted(events, key=lambda event: event["timestamp"])
    ]
    assert seen == [
        ("register", None, {"created": "e1", "lineage": "l1"}),
        ("resolve", None, {}),
        ("read", "resolve", {"root": "e1", "entity": "e1"}),
        ("execute", None, {"callable": "rename", "created": "e1'"}),
        ("fork", "execute", {"before": "e1", "forked": True}),
        ("register", "fork", {"created": "e1'", "lineage": "l1"}),
        ("fork", None, {"before": "e1'", "forked": False}),
    ]
