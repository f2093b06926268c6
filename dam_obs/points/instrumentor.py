"""The door for OpenTelemetry's own tools: ``opentelemetry-instrument`` finds dam-obs by this and switches it on."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_DISABLED_INSTRUMENTATIONS
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # untyped

from dam_obs.config import load_settings
from dam_obs.points.activate import activate, deactivate
from dam_obs.trace import faults

_AUTOMATIC = "opentelemetry.instrumentation.auto_instrumentation._load"


class DamObsInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """
    Observes this process as `dam-obs run` would: trace points, plugin managers, subprocesses.

    Settings come from the usual places; ``DAM_OBS_ENABLED=0`` leaves it off.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return what must be installed: nothing but dam-obs."""
        return ()

    def _instrument(self, **_kwargs: Any) -> None:
        with faults.guard("points.instrumentor"):
            loaded = load_settings(lenient=True)
            if loaded.settings.enabled or loaded.origins["enabled"].source == "default":
                activate(loaded.settings, threads=not _threads_are_somebody_elses())

    def _uninstrument(self, **_kwargs: Any) -> None:
        deactivate()


def _threads_are_somebody_elses() -> bool:
    """Say whether ``opentelemetry-instrument`` is switching on the instrumentation of threads, too."""
    disabled = [name.strip() for name in os.environ.get(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, "").split(",")]
    return _AUTOMATIC in sys.modules and "threading" not in disabled
