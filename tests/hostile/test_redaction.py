"""Secrets are hidden in everything that dam-obs writes: the benchmark of it, with fewer of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dam_obs import tracer
from dam_obs.testing import recording
from dam_obs.trace.redact import Redactor

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "redaction.py"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_secret_is_in_any_artefact() -> None:
    """Trace, console, OTLP bodies, report, page, drafts, SARIF, exports, profile, diff and what commands print."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--trials", "2000", "--artefacts", "700", "--corpus", "5000"],
        check=False, capture_output=True, text=True, timeout=500,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "700 secrets through " in done.stdout


def test_a_name_that_is_put_in_the_name_of_an_operation_is_hidden() -> None:
    """Some write what they work on into the name of a span."""
    with recording() as recorded, tracer.span("foc", "open AKIAIOSFODNN7ABCDEFG", "c"):
        pass

    assert [event.operation for event in recorded.events()] == ["open [redacted:aws_key]"]


@pytest.mark.parametrize("gap", ["\n", "\t", "\r\n"])
def test_a_line_of_a_value_in_a_repr_is_a_line(gap: str) -> None:
    """`repr` writes its end as two characters, of which the second is no part of the name that follows."""
    text = str({"note": f"GET /{gap}auth_header: x='22q+?_+0#l2+A|C'"})

    assert "22q+" not in Redactor().text("note", text)
