"""Prometheus' configuration, rules and alerts, by the real promtool."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def promtool(built, config):
    """Return a function that runs promtool in the folder of the rules."""
    program = built("install-prometheus").with_name("promtool")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *arguments], capture_output=True, text=True, cwd=config / "prometheus")

    return run


@pytest.mark.parametrize(
    "arguments", [("check", "config", "prometheus.yml"), ("check", "rules", "rules.yml")], ids="-".join
)
def test_promtool_finds_no_fault(promtool, arguments):
    """In the configuration and in the rules, lint included."""
    result = promtool(*arguments)

    assert result.returncode == 0, result.stderr + result.stdout


def test_each_alert_fires_and_does_not_fire(promtool):
    """As rules_test.yml has it; that it has every alert, and both, is tested beside it."""
    result = promtool("test", "rules", "rules_test.yml")

    assert result.returncode == 0, result.stderr + result.stdout


def test_a_wrong_expectation_is_noticed(promtool, config, tmp_path: Path):
    """So the test above can fail."""
    told = (config / "prometheus" / "rules_test.yml").read_text().replace("75% of what", "76% of what")
    (tmp_path / "rules_test.yml").write_text(told.replace("- rules.yml", f"- {config}/prometheus/rules.yml"))
    result = promtool("test", "rules", str(tmp_path / "rules_test.yml"))

    assert result.returncode == 1
    assert "DamGateDenies" in result.stderr + result.stdout
