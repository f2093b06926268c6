"""
Tell Python subprocesses which span started them, so that their spans nest under it.

Only children that will be observed are told: those whose environment switches recording
on. A program that starts another one with an environment of its own making is not
interfered with. What is told is the W3C context, in the variables that OpenTelemetry uses.
"""

from __future__ import annotations

import functools
import inspect
import os
import subprocess
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.context.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dam_obs.config import variable_of
from dam_obs.trace import faults
from dam_obs.trace.context import set_current

ENABLED: Final = variable_of("enabled")
_FIELDS: Final = {"traceparent": "TRACEPARENT", "tracestate": "TRACESTATE"}
_ENV_POSITION: Final = list(inspect.signature(subprocess.Popen.__init__).parameters).index("env") - 1
_GUARD: Final = faults.guard("points.subprocesses")
_propagator = TraceContextTextMapPropagator()


class Following:
    """Gives children the current span, from `open` to `close`."""

    def __init__(self) -> None:
        self._original: Callable[..., None] | None = None
        self._installed: Callable[..., None] | None = None

    def open(self) -> Following:
        """Begin: `subprocess.Popen` hands on the current span."""
        original = self._original = subprocess.Popen.__init__

        @functools.wraps(original)
        def __init__(popen: Any, *args: Any, **kwargs: Any) -> None:
            if self._installed is not None:
                with _GUARD:
                    args, kwargs = _with_context(args, kwargs)
            original(popen, *args, **kwargs)

        self._installed = __init__
        subprocess.Popen.__init__ = __init__  # type: ignore[method-assign,assignment]
        return self

    def close(self) -> None:
        """End."""
        installed, self._installed = self._installed, None
        if installed is not None and subprocess.Popen.__init__ is installed:
            subprocess.Popen.__init__ = self._original  # type: ignore[method-assign,assignment]


def _with_context(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    is_positional = len(args) > _ENV_POSITION
    given = args[_ENV_POSITION] if is_positional else kwargs.get("env")
    environ = os.environ if given is None else given
    if not isinstance(environ, Mapping) or not environ.get(ENABLED):
        return args, kwargs
    told = context_variables()
    if not told:
        return args, kwargs
    # An older state, of the span that started this process, is not the new one's.
    changed = {name: value for name, value in environ.items() if name not in _FIELDS.values()} | told
    if is_positional:
        return (*args[:_ENV_POSITION], changed, *args[_ENV_POSITION + 1 :]), kwargs
    return args, {**kwargs, "env": changed}


def context_variables() -> dict[str, str]:
    """Return the variables that name the current span; none where none is current."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return {_FIELDS[name]: value for name, value in carrier.items() if name in _FIELDS}


def adopt_parent(environ: Mapping[str, str]) -> None:
    """Make the span that `environ` names the parent of what this thread does from now on."""
    carrier = {name: environ[variable] for name, variable in _FIELDS.items() if environ.get(variable)}
    if "traceparent" in carrier:
        with _GUARD:
            set_current(_propagator.extract(carrier, context=Context()))
