"""Whether and how OTLP is on, by the environment alone."""

from __future__ import annotations

import pytest

from dam_obs.sinks.otlp_env import Otlp, UnknownProtocol, otlp_from

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@pytest.mark.parametrize(
    ("environ", "otlp"),
    [
        ({}, None),
        ({BASE: ""}, None),
        ({BASE: "http://c:4317"}, Otlp("grpc", "http://c:4317")),
        ({BASE: "http://c:4318"}, Otlp("http/protobuf", "http://c:4318")),
        ({TRACES: "http://c/v1/traces"}, Otlp("http/protobuf", "http://c/v1/traces")),
        ({TRACES: "http://t:4317", BASE: "http://c:4318"}, Otlp("grpc", "http://t:4317")),
        ({BASE: "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, Otlp("grpc", "http://c:4318")),
        (
            {
                BASE: "http://c",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            Otlp("http/protobuf", "http://c"),
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, Otlp("grpc", None)),
        ({"OTEL_TRACES_EXPORTER": "console, OTLP"}, Otlp("grpc", None)),
        ({"OTEL_TRACES_EXPORTER": "otlp_proto_http"}, Otlp("http/protobuf", None)),
        ({"OTEL_TRACES_EXPORTER": "none", BASE: "http://c"}, None),
        ({"OTEL_TRACES_EXPORTER": "console", BASE: "http://c"}, None),
        ({"OTEL_SDK_DISABLED": "true", BASE: "http://c"}, None),
        ({BASE: "http://[broken"}, Otlp("grpc", "http://[broken")),
    ],
)
def test_otlp_is_on_as_the_variables_say(environ, otlp):
    """By OpenTelemetry's own names; without a protocol the endpoint tells."""
    assert otlp_from(environ) == otlp


def test_a_protocol_that_is_not_spoken_is_an_error_that_says_which_are():
    """The exporters have no JSON."""
    with pytest.raises(UnknownProtocol, match=r"OTEL_EXPORTER_OTLP_PROTOCOL=http/json.*grpc or http/protobuf"):
        otlp_from({BASE: "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"})
