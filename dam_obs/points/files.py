"""Which trace-point files count: those that plugins bring, then those that the user names."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from dam_obs import plugins
from dam_obs.config import Settings
from dam_obs.points.load import load_file
from dam_obs.points.model import TracePointFile
from dam_obs.points.problems import PointFileError
from dam_obs.trace import faults

logger = logging.getLogger("dam_obs.points")

_GUARD: Final = faults.guard("points.file")


def point_paths(settings: Settings) -> tuple[Path, ...]:
    """Return the paths of all trace-point files, each once."""
    manager = plugins.plugin_manager("host", settings)
    paths: list[Path] = []
    for answer in plugins.call_each(manager, "dam_obs_trace_points"):
        with _GUARD:
            paths.extend([Path(answer)] if isinstance(answer, str | Path) else map(Path, answer))
    paths.extend(settings.points)
    return tuple(dict.fromkeys(path.absolute() for path in paths))


def usable_files(paths: Iterable[Path]) -> tuple[TracePointFile, ...]:
    """Return the files that load; one that does not is logged, counted and left out."""
    files = []
    for path in paths:
        try:
            files.append(load_file(path))
        except PointFileError as error:
            faults.count("points.file")
            logger.warning("dam-obs: %s; its points are left out, the program is not affected", error)
    return tuple(files)
