"""
Everything that can be set, with its default and its limits.

What is written here is all there is to know about a setting: the names in files, the
`DAM_OBS_*` variables, the checks and the page in the guide follow from it. Where values
come from and which source wins is `load`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal


@dataclass(frozen=True, slots=True)
class Limits:
    """The smallest and the largest value that a number may have."""

    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with its default."""

    enabled: bool = False
    """Record at all. ``DOPEJAR_TRACE=1`` and ``DAM_OBS_ENABLED=1``; `dam-obs run` and `diagnose` switch it on."""

    output: Path = Path("trace.jsonl")
    """The JSONL file."""

    jsonl: bool = True
    """Write the JSONL file."""

    console: bool = False
    """Print the trace tree to standard error, as the seed's ``--trace`` does."""

    level: Literal["debug", "info", "warn"] = "info"
    """``warn`` keeps only blocked and failed events; ``debug`` also keeps points marked as debug."""

    points: tuple[Path, ...] = ()
    """Trace-point files beside those that plugins bring."""

    plugins: bool = True
    """Load pip-installed plugins (entry-point group ``dam_obs``)."""

    plugins_off: tuple[str, ...] = ()
    """Names of pip-installed plugins to leave out."""

    observe_pluggy: bool = True
    """Under `dam-obs run`: observe every pluggy plugin manager that the process makes."""

    follow_subprocesses: bool = True
    """Under `dam-obs run`: observe Python subprocesses too, as children of the span that started them."""

    flush_interval: Annotated[float, Limits(0.001, 60)] = 0.2
    """Seconds between two visits of the drain thread; a kill loses at most this much."""

    queue_size: Annotated[int, Limits(1, 2**30)] = 65_536
    """Finished spans that may wait for the drain thread; more are dropped and counted."""

    rotate_bytes: Annotated[int, Limits(0, 2**50)] = 64 * 1024 * 1024
    """Size at which the JSONL file is rotated; 0 never rotates."""

    rotate_keep: Annotated[int, Limits(0, 10_000)] = 5
    """Rotated files to keep."""

    redact_off: tuple[str, ...] = ()
    """Names of redaction rules to switch off."""

    redact_safe_keys: tuple[str, ...] = ()
    """Keys whose values are never redacted by key."""

    measure: bool = False
    """Take evidence for every execution: the step meter, counters, the audit hook."""

    feature_file_sizes: bool = False
    """In measured runs: look up the size of files that commands name, ``file_size(path)``, for cost models."""

    run_directory: Path | None = None
    """The run folder of a measured run."""

    otlp_profiles: bool = False
    """After `dam-obs diagnose`: send the samples to the collector, too, as OTLP Profiles, which are in development."""

    shutdown_timeout: Annotated[float, Limits(0, 3600)] = 5.0
    """Seconds that the end of the process may wait for sinks."""
