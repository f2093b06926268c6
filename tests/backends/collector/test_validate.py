"""The collector itself accepts the configurations, with and without the variables they take."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[3] / "collector-config"


def validate(program: Path, folder: Path, *configs: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the collector's own check."""
    command = [str(program), "validate", *(f"--config={path}" for path in configs)]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("role", ["agent", "gateway"])
def test_every_configuration_is_valid(collector_program: Path, tmp_path: Path, role: str) -> None:
    """As it is in its file: every variable has a default."""
    result = validate(collector_program, tmp_path, CONFIG / f"{role}.yaml")

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("role", ["agent", "gateway"])
def test_profiles_are_laid_over(collector_program: Path, tmp_path: Path, role: str) -> None:
    """The second file adds a pipeline to the first."""
    configs = [f"--config={path}" for path in (CONFIG / f"{role}.yaml", CONFIG / "profiles" / f"{role}.yaml")]
    command = [str(collector_program), "validate", *configs, "--feature-gates=service.profilesSupport"]
    result = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("role", "name", "value"),
    [
        ("agent", "DAM_AGENT_MEMORY_MIB", "much"),
        ("agent", "DAM_AGENT_QUEUE_BYTES", "-1"),
        ("gateway", "DAM_GATEWAY_DECISION_WAIT", "soon"),
        ("gateway", "DAM_GATEWAY_SLOW_MS", "slow"),
    ],
)
def test_a_wrong_value_is_said(collector_program: Path, tmp_path: Path, role: str, name: str, value: str) -> None:
    """The check can say no, and it is the variable that it looks at."""
    result = validate(collector_program, tmp_path, CONFIG / f"{role}.yaml", **{name: value})

    assert result.returncode == 1
    assert "Error" in result.stderr
