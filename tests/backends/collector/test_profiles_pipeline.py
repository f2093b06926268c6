"""Profiles go from agent to gateway, and into a file of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dam_obs.cli import main
from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.testing.runs import write_example_run

PROFILES = Path(__file__).parents[3] / "collector-config" / "profiles"
GATE = "--feature-gates=service.profilesSupport"


def test_every_sample_of_a_run_arrives(
    start_collector: Any,
    free_address: Callable[[], str],
    wait_until: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By way of the agent's queue, while traces go on as without."""
    gateway = start_collector("gateway", PROFILES / "gateway.yaml", GATE, DAM_JAEGER=free_address())
    address = gateway.addresses["DAM_GATEWAY_GRPC"]
    agent = start_collector("agent", PROFILES / "agent.yaml", GATE, DAM_GATEWAY=address)
    monkeypatch.chdir(tmp_path)
    run = write_example_run(tmp_path / ".dam-obs" / "runs" / "r1", assets=60)

    sent = main(["export", "--format", "otlp-profiles", "--to", f"http://{agent.addresses['DAM_AGENT_GRPC']}"])

    written = Path(gateway.addresses["DAM_GATEWAY_PROFILES"])
    wait_until(lambda: written.exists() and written.read_text().endswith("\n"), "profiles are written")
    assert sent == 0
    assert sum(map(weight, written.read_text().splitlines())) == RunSamples(run).counts.total


def weight(line: str) -> int:
    """Return how many samples a request has."""
    return sum(
        int(value)
        for resource in json.loads(line)["resourceProfiles"]
        for scope in resource["scopeProfiles"]
        for profile in scope["profiles"]
        for sample in profile["samples"]
        for value in sample["values"]
    )
