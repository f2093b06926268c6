"""
Whether and how spans go out over OTLP, by OpenTelemetry's own environment variables.

Nothing of OpenTelemetry is imported here: a program that sends nothing must not pay for it.
Endpoint, headers, time-out, compression and certificates are read by the official exporters.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from dam_obs.errors import DamObsError

Protocol = Literal["grpc", "http/protobuf"]

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_CERTIFICATES: Final = ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")
_HTTP_PORT: Final = 4318


@dataclass(frozen=True, slots=True)
class Otlp:
    """OTLP is on."""

    protocol: Protocol
    endpoint: str | None
    """As it was given; `None` for the exporter's default."""

    variable: str = field(default=ENDPOINTS[-1], compare=False)
    """Where the endpoint was given, or would be."""

    @property
    def where(self) -> str:
        """Host and port, empty if it is no address; what else an endpoint holds may be a secret."""
        endpoint = self.endpoint or _DEFAULTS[self.protocol]
        try:
            parts = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
            host, port = parts.hostname, parts.port
        except ValueError:
            return ""
        if not host:
            return ""
        port = port or (80 if self.protocol == "http/protobuf" and parts.scheme != "https" else 443)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_DEFAULTS: Final[dict[Protocol, str]] = {"grpc": "localhost:4317", "http/protobuf": "localhost:4318"}


class NoSuchCertificate(DamObsError):
    """A file of certificates was named that cannot be read."""

    def __init__(self, variable: str) -> None:
        super().__init__(f"the file that {variable} names cannot be read: correct or unset it")
        self.variable = variable


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
        NoSuchCertificate: a file that is named to trust the collector by cannot be read.
    """
    variable, endpoint = endpoint_from(environ, ENDPOINTS)
    exporters = _words(environ.get("OTEL_TRACES_EXPORTER", ""))
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    wanted = [name for name in exporters if name.startswith("otlp")]
    if not wanted and (exporters or endpoint is None):
        return None
    check_certificate(environ)
    named = next((name for name in wanted if name in _NAMED), None)
    protocol = _NAMED[named] if named else protocol_from(environ, _PROTOCOLS, endpoint)
    return Otlp(protocol, endpoint, variable)


_NAMED: Final[dict[str, Protocol]] = {"otlp_proto_http": "http/protobuf", "otlp_proto_grpc": "grpc"}


def endpoint_from(environ: Mapping[str, str], variables: Sequence[str]) -> tuple[str, str | None]:
    """Return the first of the variables that is set, and its value; the last one and `None` if none is."""
    variable = next((name for name in variables if environ.get(name)), None)
    return (variable, environ[variable]) if variable else (variables[-1], None)


def check_certificate(environ: Mapping[str, str]) -> None:
    """
    See that the file can be read that is named to trust the collector by.

    Raises:
        NoSuchCertificate: it cannot; the exporters would log a traceback, and go on without it.
    """
    variable = next((name for name in _CERTIFICATES if environ.get(name)), None)
    if variable and not os.access(environ[variable], os.R_OK):
        raise NoSuchCertificate(variable)


def protocol_from(environ: Mapping[str, str], variables: Sequence[str], endpoint: str | None) -> Protocol:
    """
    Return what the first of the variables that is set says; else what the endpoint looks like.

    Raises:
        UnknownProtocol: it is not spoken here.
    """
    for variable in variables:
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
