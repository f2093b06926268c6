"""What the agent hides, and that it harms nothing else."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

SESSION = Path(__file__).parents[3] / "examples" / "hrm_session"
HIDDEN = "****"
_traces = count(0xACDC_0000)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
GITHUB = "ghp_" + "a1B2" * 9
# No text has two shapes in it that overlap: which of the two is hidden first is not said.
CASES: dict[str, tuple[object, object]] = {
    "http.request.header.authorization": ("anything", HIDDEN),
    "http.request.header.cookie": (["a=b", "c=d"], HIDDEN),
    "db.password": ("hunter2", HIDDEN),
    "two.lines.secret": ("one\ntwo", f"{HIDDEN}\n{HIDDEN}"),
    "x-api-key": (12345, HIDDEN),
    "set-cookie": ("a=b", HIDDEN),
    "session_token": ("[redacted:token]", "[redacted:token]"),
    "note": (f"use {GITHUB}, please", f"use {HIDDEN}, please"),
    "who": (f"it was {JWT}.", f"it was {HIDDEN}."),
    "header": ("Bearer 5f4dcc3b5aa765d61d8327de", HIDDEN),
    "url.full": ("postgres://me:hunter2@db:5432/x", f"{HIDDEN}db:5432/x"),
    "pem": ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", HIDDEN),
    "aws": ("AKIA" + "Q" * 16, HIDDEN),
    "list": (["one", GITHUB], f'["one","{HIDDEN}"]'),
    "dam.data.output": (f"said {GITHUB}", f"said {HIDDEN}"),
    "dam.data.key": ("chapter-1", "chapter-1"),
    "dam.data.token": ("page-7", "page-7"),
    "dam.data.tokens_saved": (45, 45),
    "dam.id": ("alt_1705180800_a3f2", "alt_1705180800_a3f2"),
    "dam.touched.files_read": (["/etc/hosts", "a b"], ["/etc/hosts", "a b"]),
    "dam.start_mono_ns": (49_860_261_504_346, 49_860_261_504_346),
    "dam.feature.ratio": (0.5, 0.5),
    "dam.data.allowed": (True, True),
    "gen_ai.usage.input_tokens": (512, 512),
    "url.plain": ("https://example.org/a?b=c", "https://example.org/a?b=c"),
    "code.file.path": ("/srv/app/secrets/tokens.py", "/srv/app/secrets/tokens.py"),
}


@pytest.fixture
def through(
    agent: Any, gateway: Any, otlp: SimpleNamespace, wait_until: Callable[..., None]
) -> Callable[..., dict[str, Any]]:
    """Return a function that sends one span through agent and gateway, and gives it as it was written."""

    def send(**fields: Any) -> dict[str, Any]:
        trace = next(_traces)
        otlp.send(agent.addresses["DAM_AGENT_HTTP"], otlp.span(trace, **fields))

        def found() -> list[dict[str, Any]]:
            return [each for each in otlp.written(gateway.file) if each["traceId"] == f"{trace:032x}"]

        wait_until(found, "the span is written")
        (span,) = found()
        return span

    return send


def test_attributes(through: Callable[..., dict[str, Any]], otlp: SimpleNamespace) -> None:
    """Secrets by name and by shape are hidden; all else is as it was, down to its type."""
    span = through(attributes={name: sent for name, (sent, _) in CASES.items()})

    arrived = {each["key"]: otlp.plain_value(each["value"]) for each in span["attributes"]}
    assert arrived == {name: expected for name, (_, expected) in CASES.items()}


SHAPES = [
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE\nAAAA",
    JWT,
    GITHUB,
    "glpat-" + "x1Y_" * 5,
    "xoxb-123456789012-abcdef",
    "rk_live_" + "a1" * 8,
    "sk-proj-" + "a1-_" * 6,
    "sk-" + "a1" * 20,
    "AIza" + "a1-_" * 9,
    "hf_" + "a1" * 16,
    "SG." + "a1" * 10 + "." + "b2" * 10,
    "Bearer 5f4dcc3b5aa765d61d8327de",
    "basic dXNlcjpwYXNzd29yZA==",
    "redis://:hunter2@",
    "https://me:p%40ss@",
    "&X-Amz-Signature=0123456789abcdef",
]
ALONE = [
    "Basic responsibilities of a service",
    "the bearer of bad news",
    "sk-learn-contrib-estimators-for-everyone",
    "https://example.org:8080/a@b?sig=1",
    "git@example.org:project/repository.git",
    "postgres://me:[redacted:url_password]@db:5432/x",
    "https://[redacted:url_password]@host/",
    "https://host/?X-Amz-Signature=[redacted:signature]&x=1",
    "Authorization: Bearer [redacted:bearer]",
    "token [redacted:github_token] was refused",
    "L3→L2, ünïcode, 日本",
    "a line\nand another",
    "",
]


def test_every_shape(through: Callable[..., dict[str, Any]], otlp: SimpleNamespace) -> None:
    """Each is hidden in the middle of a text, and the text around it stays."""
    span = through(attributes={f"n{n}": f"before {shape}" for n, shape in enumerate(SHAPES)})

    assert [otlp.plain_value(each["value"]) for each in span["attributes"]] == [f"before {HIDDEN}"] * len(SHAPES)


def test_what_only_looks_like_it(through: Callable[..., dict[str, Any]], otlp: SimpleNamespace) -> None:
    """Sentences, addresses, the markers of dam-obs; ids, hashes, numbers and paths by the hundred: as they were."""
    chance = Random(8)
    made = [
        *(str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(100)),
        *(f"{chance.getrandbits(256):064x}" for _ in range(100)),
        *(base64.b64encode(chance.randbytes(24)).decode() for _ in range(100)),
        *(
            "/".join(["", *(chance.choice(["srv", "key", "token", "a-b_c", "x.py"]) for _ in range(6))])
            for _ in range(100)
        ),
        *(str(chance.getrandbits(64)) for _ in range(100)),
    ]
    sent = {f"n{n}": text for n, text in enumerate([*ALONE, *made])}

    span = through(attributes=sent)

    assert {each["key"]: otlp.plain_value(each["value"]) for each in span["attributes"]} == sent


def test_texts_that_are_no_attributes(through: Callable[..., dict[str, Any]]) -> None:
    """The name of a span, the message of its failure, and what was said of an exception."""
    span = through(
        name=f"GET https://me:pw@host/{GITHUB}",
        status=2,
        message=f"401 for {GITHUB}",
        events=[
            {
                "name": "exception",
                "timeUnixNano": "1",
                "attributes": [{"key": "exception.message", "value": {"stringValue": f"no {GITHUB}"}}],
            }
        ],
    )

    assert span["name"] == f"GET {HIDDEN}host/{HIDDEN}"
    assert span["status"] == {"message": f"401 for {HIDDEN}", "code": 2}
    assert span["events"][0]["attributes"] == [{"key": "exception.message", "value": {"stringValue": f"no {HIDDEN}"}}]
    assert "attributes" not in span


def test_a_name_without_secrets_stays(through: Callable[..., dict[str, Any]]) -> None:
    """And a span without a message gets none."""
    span = through(name="focus.gate_check")

    assert (span["name"], span["status"]) == ("focus.gate_check", {})


def test_what_dam_obs_sends_arrives_as_it_was_recorded(
    agent: Any, gateway: Any, otlp: SimpleNamespace, wait_until: Callable[..., None], tmp_path: Path
) -> None:
    """Of a session that reaches every operation of five layers: handles, parents, status, summaries and all data."""
    environ = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{agent.addresses['DAM_AGENT_GRPC']}",
        "OTEL_SERVICE_NAME": "session",
    }
    command = [sys.executable, "-m", "dam_obs.cli", "run", "--output", "trace.jsonl", "--", sys.executable, SESSION]
    subprocess.run(command, env=environ, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    events = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    recorded = {event["otel_span_id"]: _recorded(event) for event in events if "otel_span_id" in event}
    assert {event["hrm_layer"] for event in events} >= {"altitude", "focus", "reasoning", "learning", "memory"}

    def arrived() -> dict[str, dict[str, object]]:
        spans = {each["spanId"]: each for each in otlp.written(gateway.file)}
        return {name: _arrived(spans[name], otlp) for name in recorded if name in spans}

    wait_until(lambda: len(arrived()) == len(recorded), "the session is written")
    assert arrived() == recorded


def _recorded(event: dict[str, Any]) -> dict[str, object]:
    kept = {
        "dam.id": event["trace_id"],
        "dam.parent_id": event["parent_id"],
        "dam.layer": event["hrm_layer"],
        "dam.operation": event["operation"],
        "dam.component": event["component"],
        "dam.status": event["status"],
        "dam.input": event["input_summary"],
        "dam.output": event["output_summary"],
    }
    data = {f"dam.data.{name}": value for name, value in event["metadata"].items() if name != "error.type"}
    return {name: value for name, value in {**kept, **data}.items() if value not in (None, "")}


def _arrived(span: dict[str, Any], otlp: SimpleNamespace) -> dict[str, object]:
    attributes = {each["key"]: otlp.plain_value(each["value"]) for each in span["attributes"]}
    ours = ("dam.id", "dam.parent_id", "dam.layer", "dam.operation", "dam.component", "dam.status", "dam.input")
    return {n: value for n, value in attributes.items() if n in (*ours, "dam.output") or n.startswith("dam.data.")}
