"""Whether an OTLP collector is configured, and whether it takes spans: it is sent a request without any."""

from __future__ import annotations

import os

from dam_obs.cli._checks.check import Check, Place
from dam_obs.errors import DamObsError
from dam_obs.sinks.otlp_answers import Answer
from dam_obs.sinks.otlp_ask import ask
from dam_obs.sinks.otlp_env import Otlp, otlp_from

NAME = "collector (OTLP)"
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


def _none(place: Place) -> Check:
    if place.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Check(NAME, "limited", "OTEL_SDK_DISABLED switches sending off", "unset OTEL_SDK_DISABLED")
    says = "not configured: events go to trace.jsonl only"
    return Check(NAME, "ok", says, "to send them on: export OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4317")


def _told(otlp: Otlp, answer: Answer) -> Check:
    if answer.kind == "taken":
        return Check(NAME, "ok", f"{otlp.where} takes spans over {_SPOKEN[otlp.protocol]}")
    words = f'; in its words: "{answer.message}"' if answer.message else ""
    says = f"{otlp.where}: {answer.says}{words}"
    if answer.passes:
        return Check(NAME, "limited", f"{says}; what it does not take is counted", answer.remedy(otlp.variable))
    return Check(NAME, "broken", f"{says}; {_LOST}", _remedy(otlp, answer))


def _remedy(otlp: Otlp, answer: Answer) -> str:
    remedy = answer.remedy(otlp.variable)
    bundle = next((name for name in _BUNDLES if os.environ.get(name)), None)
    if answer.kind == "untrusted" and otlp.protocol == "http/protobuf" and bundle:
        return f"{remedy}; and unset {bundle}, which would win over it"
    return remedy
