"""The sinks that come with dam-obs, as a plugin like anyone's."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dam_obs.hookspecs import SinkFactory, hookimpl
from dam_obs.plugins import plugin_manager
from dam_obs.sinks.console import ConsoleSink
from dam_obs.sinks.hooks import HookSink
from dam_obs.sinks.jsonl import JsonlSink
from dam_obs.sinks.opentelemetry import OpenTelemetrySink
from dam_obs.sinks.otlp_env import NoSuchCertificate, UnknownProtocol, otlp_from

if TYPE_CHECKING:
    from dam_obs.config import Settings

_logger = logging.getLogger(__name__)


@hookimpl
def dam_obs_sinks(settings: Settings) -> Iterable[SinkFactory]:
    """Bring the JSONL file and the console tree where switched on, OpenTelemetry's ways out, and plugins."""
    factories: list[SinkFactory] = []
    if settings.jsonl:
        # Where the program starts is meant, wherever it goes later.
        path = settings.output.absolute()
        rotate = {"rotate_bytes": settings.rotate_bytes, "rotate_keep": settings.rotate_keep}
        factories.append(partial(JsonlSink, path, **rotate, closed=_closed(settings, path)))
    if settings.console:
        factories.append(partial(ConsoleSink, hold=settings.level != "warn"))
    factories.append(partial(OpenTelemetrySink, _otlp()))
    manager = plugin_manager("host", settings)
    if manager.hook.dam_obs_event.get_hookimpls():
        factories.append(partial(HookSink, manager))
    return factories


def _closed(settings: Settings, trace: Path) -> Path | None:
    """Return where full files of a measured run's own trace go; `dam_obs.store.closed` reads them there."""
    folder = settings.run_directory
    if not settings.measure or folder is None or trace != folder.absolute() / "trace.jsonl":
        return None
    return folder.absolute() / "trace.closed"


def _otlp() -> SinkFactory | None:
    try:
        otlp = otlp_from(os.environ)
    except (UnknownProtocol, NoSuchCertificate) as error:
        _logger.warning("dam-obs: no spans go out: %s", error)
        return None
    if otlp is None:
        return None
    # Only where it is used: it imports the exporters.
    from dam_obs.sinks.otlp import otlp_factory

    return otlp_factory(otlp)
