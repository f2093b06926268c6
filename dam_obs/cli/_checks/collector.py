"""Whether an OTLP collector is configured, and takes spans and profiles: it is sent requests without any."""

from __future__ import annotations

import os

from dam_obs.cli._checks.check import Check, Place
from dam_obs.config import Settings
from dam_obs.diagnose.export.otlp_classes import profiles_pb2
from dam_obs.errors import DamObsError
from dam_obs.sinks.otlp_answers import Answer
from dam_obs.sinks.otlp_ask import ask
from dam_obs.sinks.otlp_env import ENDPOINTS, Otlp, endpoint_from, otlp_from
from dam_obs.sinks.otlp_profiles import profiles_from, send_profiles

NAME = "collector (OTLP)"
PROFILES = "profiles (OTLP)"
_LOST = "events are dropped there and counted, trace.jsonl is written"
_SPOKEN = {"grpc": "gRPC", "http/protobuf": "HTTP"}
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def check_collector(place: Place) -> Check:
    """Ask the collector that the environment names, if it names one, whether it takes spans."""
    try:
        otlp = otlp_from(place.environ)
    except DamObsError as error:
        says, _, remedy = str(error).partition(": ")
        return Check(NAME, "broken", f"no events are sent: {says}", remedy)
    if otlp is None:
        return _none(place)
    if not otlp.where:
        return Check(NAME, "broken", f"{otlp.variable} is not an address", f"export {otlp.variable}=http://HOST:4317")
    return _told(otlp, ask(otlp))


def check_profiles(place: Place, settings: Settings) -> list[Check]:
    """Ask the collector whether it takes profiles; say nothing where none are to be sent."""
    if not settings.otlp_profiles:
        return []
    try:
        otlp = profiles_from(place.environ)
        send_profiles([profiles_pb2().ProfilesData()], otlp)
    except DamObsError as error:
        says, _, remedy = str(error).rpartition("; ") if "; " in str(error) else str(error).rpartition(": ")
        return [Check(PROFILES, "limited", f"{says}; all else works without", remedy)]
    return [Check(PROFILES, "ok", f"{otlp.where} takes profiles over {_SPOKEN[otlp.protocol]}")]


def _none(place: Place) -> Check:
    if place.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Check(NAME, "limited", "OTEL_SDK_DISABLED switches sending off", "unset OTEL_SDK_DISABLED")
    variable, endpoint = endpoint_from(place.environ, ENDPOINTS)
    if endpoint is not None:
        says = f"OTEL_TRACES_EXPORTER leaves it out, so nothing goes to what {variable} names"
        return Check(NAME, "limited", says, "unset OTEL_TRACES_EXPORTER, or name otlp in it")
    says = "not configured: events go to trace.jsonl only"
    return Check(NAME, "ok", says, "to send them on: export OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4317")


def _told(otlp: Otlp, answer: Answer) -> Check:
    if answer.kind == "taken":
        return Check(NAME, "ok", f"{otlp.where} takes spans over {_SPOKEN[otlp.protocol]}")
    words = f'; in its words: "{answer.message}"' if answer.message else ""
    says = f"{otlp.where}: {answer.says}{words}"
    if not answer.loses:
        return Check(NAME, "limited", says, answer.remedy(otlp.variable))
    if answer.passes:
        return Check(NAME, "limited", f"{says}; what it does not take is counted", answer.remedy(otlp.variable))
    return Check(NAME, "broken", f"{says}; {_LOST}", _remedy(otlp, answer))


def _remedy(otlp: Otlp, answer: Answer) -> str:
    remedy = answer.remedy(otlp.variable)
    bundle = next((name for name in _BUNDLES if os.environ.get(name)), None)
    if answer.kind == "untrusted" and otlp.protocol == "http/protobuf" and bundle:
        return f"{remedy}; and unset {bundle}, which would win over it"
    return remedy
