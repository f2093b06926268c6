"""``dam-obs doctor`` and the real collector: well, and addressed wrongly."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from dam_obs.cli import main


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs the doctor with variables: its status, and what it says of the collector."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dam_obs.sample.pyspy.SCRIPTS", tmp_path)  # nothing of the sampler is asked here
    monkeypatch.setattr("dam_obs.sinks.otlp_ask.ASK_SECONDS", 60.0)

    def asked(**variables: str) -> tuple[int, str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
        status = main(["doctor", "--json", "--python", sys.executable])
        checks = json.loads(capsys.readouterr().out)["checks"]
        (found,) = [each for each in checks if each["name"] == "collector (OTLP)"]
        return status, found["state"], found["says"]

    return asked


@pytest.mark.parametrize(("port", "protocol", "spoken"), [("GRPC", "grpc", "gRPC"), ("HTTP", "http/protobuf", "HTTP")])
def test_it_is_well(check, agent, port, protocol, spoken):
    """By both protocols."""
    address = agent.addresses[f"DAM_AGENT_{port}"]

    assert check(ENDPOINT=f"http://{address}", PROTOCOL=protocol) == (0, "ok", f"{address} takes spans over {spoken}")


HUNG_UP = "it hangs up without an answer"
NOT_OTLP = "what answers is no OTLP collector (it does not speak the protocol)"
LOST = "events are dropped there and counted, trace.jsonl is written"


@pytest.mark.parametrize(
    ("port", "path", "protocol", "says"),
    [
        ("HTTP", "/otlp", "http/protobuf", {"there is no OTLP at that path (HTTP 404)"}),
        # Whether the other side's greeting is read before it hangs up is a matter of luck.
        ("GRPC", "", "http/protobuf", {HUNG_UP, NOT_OTLP}),
        ("HTTP", "", "grpc", {HUNG_UP, NOT_OTLP}),
        ("HEALTH", "", "grpc", {HUNG_UP, NOT_OTLP}),
    ],
)
def test_it_is_addressed_wrongly(check, agent, port, path, protocol, says):
    """Each mistake is told as what it is."""
    address = agent.addresses[f"DAM_AGENT_{port}"]
    status, state, said = check(ENDPOINT=f"http://{address}{path}", PROTOCOL=protocol)

    assert (status, state) == (1, "broken")
    assert said in {f"{address}: {each}; {LOST}" for each in says}


def test_another_server_that_says_yes_to_everything(check, agent):
    """The collector's own health check does."""
    address = agent.addresses["DAM_AGENT_HEALTH"]

    assert check(ENDPOINT=f"http://{address}", PROTOCOL="http/protobuf") == (
        0,
        "limited",
        f"{address}: it takes what is sent, but does not answer as OTLP does (application/json)",
    )
