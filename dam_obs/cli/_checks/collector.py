"""Whether an OTLP collector is configured and somebody listens there."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from dam_obs.cli._checks.check import Check, Place

NAME = "collector (OTLP)"
TIMEOUT_SECONDS = 1.0

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_DEFAULT_PORTS = {"grpc": 4317, "http/protobuf": 4318, "http/json": 4318}


def check_collector(place: Place) -> Check:
    """Try to connect to the collector that the environment names, if it names one."""
    variable, endpoint = _first(place.environ, _ENDPOINTS)
    if not endpoint:
        says = "not configured: events go to trace.jsonl only"
        return Check(NAME, "ok", says, "to send them on: export OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4317")
    if place.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Check(NAME, "limited", "OTEL_SDK_DISABLED switches sending off", "unset OTEL_SDK_DISABLED")

    _, protocol = _first(place.environ, _PROTOCOLS)
    address = _address(endpoint, _DEFAULT_PORTS.get(protocol.strip().lower(), 4317))
    if address is None:
        return Check(NAME, "broken", f"{variable} is not an address", f"export {variable}=http://HOST:4317")
    return _try(variable, *address)


def _first(environ: Mapping[str, str], variables: tuple[str, ...]) -> tuple[str, str]:
    for variable in variables:
        if environ.get(variable, "").strip():
            return variable, environ[variable].strip()
    return variables[0], ""


def _address(endpoint: str, default_port: int) -> tuple[str, int] | None:
    """Return host and port; what else an endpoint holds may be a secret and is left alone."""
    try:
        parts: SplitResult = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
        port = parts.port or {"http": default_port, "https": default_port}.get(parts.scheme, default_port)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


def _try(variable: str, host: str, port: int) -> Check:
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        socket.create_connection((host, port), timeout=TIMEOUT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        says = f"nobody answers at {shown} ({reason}); events are dropped there and counted, trace.jsonl is written"
        return Check(NAME, "broken", says, f"start the collector, or correct or unset {variable}")
    return Check(NAME, "ok", f"{shown} accepts connections")
