"""
Whether and how spans go out over OTLP, by OpenTelemetry's own environment variables.

Nothing of OpenTelemetry is imported here: a program that sends nothing must not pay for it.
Endpoint, headers, time-out, compression and certificates are read by the official exporters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from dam_obs.errors import DamObsError

Protocol = Literal["grpc", "http/protobuf"]

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP_PORT: Final = 4318


@dataclass(frozen=True, slots=True)
class Otlp:
    """OTLP is on."""

    protocol: Protocol
    endpoint: str | None
    """As it was given; `None` for the exporter's default."""


class UnknownProtocol(DamObsError):
    """A protocol was asked for that the exporters do not speak."""

    def __init__(self, name: str, variable: str) -> None:
        super().__init__(f"{variable}={name} is not spoken here: set it to grpc or http/protobuf")
        self.name = name


def otlp_from(environ: Mapping[str, str]) -> Otlp | None:
    """
    Return how spans go out; `None` if they do not.

    They do when an endpoint is given or ``OTEL_TRACES_EXPORTER`` names ``otlp``, unless that variable
    names only others or ``OTEL_SDK_DISABLED`` is true. Without a protocol an endpoint with port 4318 or
    with a path is HTTP, any other gRPC.

    Raises:
        UnknownProtocol: the protocol that is asked for is neither.
    """
    endpoint = next((environ[name] for name in _ENDPOINTS if environ.get(name)), None)
    exporters = _words(environ.get("OTEL_TRACES_EXPORTER", ""))
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    wanted = [name for name in exporters if name.startswith("otlp")]
    if not wanted and (exporters or endpoint is None):
        return None
    return Otlp(_protocol(environ, wanted, endpoint), endpoint)


def _protocol(environ: Mapping[str, str], wanted: list[str], endpoint: str | None) -> Protocol:
    for name in wanted:
        if name in ("otlp_proto_http", "otlp_proto_grpc"):
            return "http/protobuf" if name.endswith("http") else "grpc"
    for variable in _PROTOCOLS:
        given = environ.get(variable, "").strip().lower()
        if given == "grpc":
            return "grpc"
        if given in ("http/protobuf", "http"):
            return "http/protobuf"
        if given:
            raise UnknownProtocol(given, variable)
    return "http/protobuf" if _looks_like_http(endpoint) else "grpc"


def _looks_like_http(endpoint: str | None) -> bool:
    if endpoint is None:
        return False
    try:
        url = urlsplit(endpoint)
        return url.port == _HTTP_PORT or url.path.strip("/") != ""
    except ValueError:
        return False


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",") if word.strip()]
