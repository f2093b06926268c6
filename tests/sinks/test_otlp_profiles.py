"""Where profiles go, by the environment or by what is typed; tests/cli/test_export_to.py has what becomes of them."""

from __future__ import annotations

import pytest

from dam_obs.sinks.otlp_env import NoSuchCertificate, Otlp, UnknownProtocol
from dam_obs.sinks.otlp_profiles import NoCollector, NotACollectorsAddress, SendingIsOff, profiles_from, profiles_to

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
OWN = "OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT"
PATH = "/v1development/profiles"


@pytest.mark.parametrize(
    ("environ", "otlp"),
    [
        ({BASE: "http://c:4317"}, Otlp("grpc", "http://c:4317")),
        ({BASE: "http://c:4318"}, Otlp("http/protobuf", f"http://c:4318{PATH}")),
        ({BASE: "http://c/otlp/"}, Otlp("http/protobuf", f"http://c/otlp{PATH}")),
        (
            {BASE: "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            Otlp("http/protobuf", f"http://c{PATH}"),
        ),
        (
            {
                BASE: "http://c:4318",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_PROFILES_PROTOCOL": "grpc",
            },
            Otlp("grpc", "http://c:4318"),
        ),
        ({OWN: "http://p:4318/mine", BASE: "http://c:4317"}, Otlp("http/protobuf", "http://p:4318/mine")),
        ({OWN: "http://p:4317"}, Otlp("grpc", "http://p:4317")),
    ],
)
def test_by_the_environment(environ, otlp):
    """The signal's own address is taken as it is; to that of all signals HTTP adds the path."""
    assert profiles_from(environ) == otlp


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({}, NoCollector),
        ({BASE: ""}, NoCollector),
        ({BASE: "http://c", "OTEL_SDK_DISABLED": "true"}, SendingIsOff),
        ({BASE: "http://"}, NotACollectorsAddress),
        ({BASE: "http://[broken"}, NotACollectorsAddress),
        ({BASE: "http://c", "OTEL_EXPORTER_OTLP_PROFILES_PROTOCOL": "http/json"}, UnknownProtocol),
        ({BASE: "http://c", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere/ca.pem"}, NoSuchCertificate),
    ],
)
def test_what_the_environment_does_not_say(environ, error):
    """Is one line, each with the way out."""
    with pytest.raises(error, match=": "):
        profiles_from(environ)


@pytest.mark.parametrize(
    ("address", "otlp"),
    [
        ("http://c:4318", Otlp("http/protobuf", f"http://c:4318{PATH}")),
        (f"http://c:4318{PATH}", Otlp("http/protobuf", f"http://c:4318{PATH}")),
        ("https://c/otlp", Otlp("http/protobuf", f"https://c/otlp{PATH}")),
        ("c:4317", Otlp("grpc", "http://c:4317")),
        ("c:4318", Otlp("http/protobuf", f"http://c:4318{PATH}")),
        ("https://c:4317", Otlp("grpc", "https://c:4317")),
    ],
)
def test_by_what_is_typed(address, otlp):
    """A port or a path says how; without a scheme it is without TLS."""
    assert profiles_to(address) == otlp
