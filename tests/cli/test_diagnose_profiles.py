"""``dam-obs diagnose`` sends samples where that is switched on; what comes of it changes nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAME_ONE = "export OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318, or switch otlp_profiles off"
PROGRAM = """
import dam_obs
with dam_obs.tracer.span("sys", "work", "c"):
    print("done")
raise SystemExit(7)
"""


def diagnose(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Measure a program without stacks, which takes little time."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "OTEL"))}
    command = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--no-stacks", "--no-draft", "--out", "run", "--"]
    return subprocess.run(
        [*command, sys.executable, "-c", PROGRAM],
        env=environ | variables, cwd=folder, capture_output=True, text=True, timeout=110,
    )  # fmt: skip


def lines(diagnosed: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what is said of profiles."""
    return [line for line in diagnosed.stderr.splitlines() if "rofiles" in line or "has no samples" in line]


def test_nothing_is_sent_or_said_by_default(tmp_path):
    """Whatever the endpoint is."""
    diagnosed = diagnose(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")

    assert (diagnosed.returncode, diagnosed.stdout, lines(diagnosed)) == (7, "done\n", [])


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, f"dam-obs: profiles are not sent, since no collector is named: {NAME_ONE}"),
        (
            {"OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT": "http://127.0.0.1:1/v1development/profiles"},
            "dam-obs: run has no samples (switched off by --no-stacks): run `dam-obs diagnose` without --no-stacks",
        ),
    ],
)
def test_why_nothing_is_sent_is_one_line(tmp_path, variables, says):
    """The report is there, and the exit status is the program's."""
    diagnosed = diagnose(tmp_path, DAM_OBS_OTLP_PROFILES="1", **variables)

    assert (diagnosed.returncode, diagnosed.stdout) == (7, "done\n")
    (line,) = lines(diagnosed)
    assert line.replace(f"{tmp_path}/", "") == says
    assert (tmp_path / "run" / "report.json").is_file()
