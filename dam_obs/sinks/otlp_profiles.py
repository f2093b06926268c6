"""
Send profiles to a collector, by the exporters that spans go out by.

For who analyses a run, never inside an observed program. The signal is alpha: it has its own path and service,
and a collector takes it only behind a feature gate, so a refusal is told in words of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from dam_obs.errors import DamObsError
from dam_obs.sinks.otlp import quiet_grpc
from dam_obs.sinks.otlp_answers import Answer
from dam_obs.sinks.otlp_ask import send_in_turn
from dam_obs.sinks.otlp_env import Otlp, check_certificate, endpoint_from, protocol_from

REQUEST_BYTES: Final = 3 * 1024 * 1024
"""What is larger is to be sent in parts: collectors refuse gRPC messages of more than 4 MiB."""

PATH: Final = "/v1development/profiles"
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_PROFILES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_GATE: Final = (
    "give the collector's otlp receiver a pipeline of profiles, and start it with "
    "--feature-gates=service.profilesSupport"
)
_NO_PIPELINE: Final = frozenset({"no such path", "not served", "format"})
_BAD_REQUEST: Final = "HTTP 400"


class NoCollector(DamObsError):
    """Profiles were to be sent, and nobody says where to."""

    def __init__(self) -> None:
        super().__init__(
            f"profiles are not sent, since no collector is named: export {ENDPOINTS[1]}=http://HOST:4318, "
            "or switch otlp_profiles off"
        )


class SendingIsOff(DamObsError):
    """Profiles were to be sent, and OpenTelemetry is switched off."""

    def __init__(self) -> None:
        super().__init__("profiles are not sent, since OTEL_SDK_DISABLED switches that off: unset it")


class NotACollectorsAddress(DamObsError):
    """Profiles were to be sent to what is no address."""

    def __init__(self, where: str) -> None:
        super().__init__(f"profiles are not sent, since {where} is not an address: write it as http://HOST:4318")


class ProfilesNotTaken(DamObsError):
    """A collector did not take the profiles of a run."""

    def __init__(self, otlp: Otlp, answer: Answer) -> None:
        super().__init__(f"profiles are not taken by {otlp.where}: {answer.says}; {_remedy(otlp, answer)}")
        self.answer = answer


def _remedy(otlp: Otlp, answer: Answer) -> str:
    if answer.kind in _NO_PIPELINE:
        return _GATE
    if answer.detail == _BAD_REQUEST:
        return (
            "it may know another state of this alpha format: use a collector of the version that dam-obs is tried with"
        )
    return answer.remedy(otlp.variable)


def profiles_to(address: str) -> Otlp:
    """
    Return how profiles go to `address`, which the user has typed: by HTTP on port 4318 or with a path, else by gRPC.

    Raises:
        NotACollectorsAddress: it is none.
    """
    endpoint = address if "://" in address else f"http://{address}"
    return _complete(Otlp(protocol_from({}, (), endpoint), endpoint, "--to"), "what --to names", is_base=True)


def profiles_from(environ: Mapping[str, str]) -> Otlp:
    """
    Return how profiles go out by OpenTelemetry's variables.

    Raises:
        SendingIsOff: ``OTEL_SDK_DISABLED`` is true.
        NoCollector: no endpoint is given.
        NotACollectorsAddress: what is given is none.
        UnknownProtocol: the protocol that is asked for is not spoken.
        NoSuchCertificate: a file that is named to trust the collector by cannot be read.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        raise SendingIsOff
    variable, endpoint = endpoint_from(environ, ENDPOINTS)
    if endpoint is None:
        raise NoCollector
    check_certificate(environ)
    otlp = Otlp(protocol_from(environ, _PROTOCOLS, endpoint), endpoint, variable)
    return _complete(otlp, variable, is_base=variable == ENDPOINTS[1])


def _complete(otlp: Otlp, named: str, *, is_base: bool) -> Otlp:
    """Add the signal's path to the address of a collector."""
    if not otlp.where or otlp.endpoint is None:
        raise NotACollectorsAddress(named)
    if otlp.protocol == "grpc" or not is_base or urlsplit(otlp.endpoint).path.endswith(PATH):
        return otlp
    return replace(otlp, endpoint=otlp.endpoint.rstrip("/") + PATH)


def send_profiles(messages: Iterable[Any], otlp: Otlp) -> Answer:
    """
    Send `ProfilesData` messages, each in one attempt; some of what is in them may have been rejected.

    Raises:
        ProfilesNotTaken: one did not arrive; those after it are not sent.
    """
    answer = _send_by_grpc(messages, otlp) if otlp.protocol == "grpc" else _send_by_http(messages, otlp)
    if not answer.arrived:
        raise ProfilesNotTaken(otlp, answer)
    return answer


def _send_by_grpc(messages: Iterable[Any], otlp: Otlp) -> Answer:
    with quiet_grpc():
        service = import_module(f"{_SERVICE}.profiles_service_pb2_grpc").ProfilesServiceStub
        from dam_obs.sinks.otlp_grpc import GrpcTransport
    request = import_module(f"{_SERVICE}.profiles_service_pb2").ExportProfilesServiceRequest
    transport = GrpcTransport(endpoint=otlp.endpoint, service=service)
    return send_in_turn(transport, (request.FromString(each.SerializeToString()) for each in messages))


def _send_by_http(messages: Iterable[Any], otlp: Otlp) -> Answer:
    from dam_obs.sinks.otlp_http import HttpTransport

    transport = HttpTransport(endpoint=otlp.endpoint)
    if not transport.takes_bytes:
        return Answer("failed", "the installed OpenTelemetry exporter takes spans alone")
    return send_in_turn(transport, (each.SerializeToString() for each in messages))


_SERVICE: Final = "opentelemetry.proto.collector.profiles.v1development"
