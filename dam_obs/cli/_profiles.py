"""Send the samples of a run to a collector, and say what became of them in one line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dam_obs.text import printable

if TYPE_CHECKING:
    from dam_obs.config import Settings
    from dam_obs.diagnose.export.samples import RunSamples
    from dam_obs.sinks.otlp_env import Otlp
    from dam_obs.store.runs import RunFolder

_SPOKEN = {"grpc": "gRPC", "http/protobuf": "HTTP"}


def send(samples: RunSamples, otlp: Otlp) -> str:
    """
    Send them as OTLP Profiles, and return the line.

    Raises:
        ProfilesNotTaken: they did not arrive.
        ProfilesUnsupported: the installed classes are of another state of the format.
    """
    from dam_obs.diagnose.export.otlp_parts import in_parts
    from dam_obs.diagnose.export.otlp_profiles import otlp_profiles
    from dam_obs.sinks.otlp_profiles import REQUEST_BYTES, send_profiles

    answer = send_profiles(in_parts(otlp_profiles(samples), REQUEST_BYTES), otlp)
    line = f"Sent profiles to {otlp.where} over {_SPOKEN[otlp.protocol]}"
    if answer.kind == "partly":
        words = f': "{answer.message}"' if answer.message else ""
        return printable(f"{line}; {answer.says}{words}")
    return line


def send_if_wanted(run: RunFolder, settings: Settings) -> str | None:
    """Send the samples of a run if the setting says so; return the line, which says why if they are not sent."""
    if not settings.otlp_profiles:
        return None
    from dam_obs.diagnose.export.samples import RunSamples
    from dam_obs.errors import DamObsError
    from dam_obs.sinks.otlp_profiles import profiles_from
    from dam_obs.trace.redact import Redactor

    try:
        otlp = profiles_from(os.environ)
        samples = RunSamples(run, redactor=Redactor(settings.redact_off, settings.redact_safe_keys))
        return send(samples, otlp)
    except DamObsError as error:
        return f"dam-obs: {printable(str(error))}"
