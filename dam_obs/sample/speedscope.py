"""
Write samples for speedscope (https://www.speedscope.app): one profile for each system.

Tags and our own frames are taken out, names go through the redactor. Samples outside any
execution come last, as a profile of their own, so that nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from dam_obs.sample.attribution import Owners, attribute, span_id_of
from dam_obs.sample.profile import read_profile, sampled_pids
from dam_obs.sample.samples import Attribution, Frame, StackSample
from dam_obs.store.errors import NoTraceFound
from dam_obs.store.files import write_whole
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder
from dam_obs.trace.redact import Redactor

OUTSIDE = "(outside executions)"
UNKNOWN = "(executions without an event)"
"""Executions that were open at the end, or dropped."""

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def write_profile(run: RunFolder, *, rate_hz: float | None, redactor: Redactor | None = None) -> bool:
    """
    Write ``profile.speedscope.json`` of a run.

    Returns:
        Whether there were samples to write.

    Raises:
        BrokenProfile: the raw profile is not one.
    """
    if not run.raw_profile.is_file():
        return False
    executions = _executions(run)
    owners = Owners(lambda span: executions[span][1] if span in executions else None, sampled_pids(run.raw_profile))
    systems = {span: system for span, (system, _) in executions.items()}
    by_system = samples_by_system(attribute(read_profile(run.raw_profile), owners), systems)
    if by_system:
        write_speedscope(run.profile, by_system, rate_hz=rate_hz, redactor=redactor or Redactor())
    return bool(by_system)


def samples_by_system(attribution: Attribution, systems: Mapping[str, str]) -> dict[str, list[StackSample]]:
    """
    Put claimed samples together by system, the system with the most first, and the unclaimed ones last.

    Args:
        attribution: The samples by execution.
        systems: OTel span id to the name of its system.
    """
    found: dict[str, list[StackSample]] = {}
    for span, samples in attribution.claimed.items():
        found.setdefault(systems.get(span, UNKNOWN), []).extend(samples)
    ordered = sorted(found.items(), key=lambda item: (-sum(sample.weight for sample in item[1]), item[0]))
    return {**dict(ordered), **({OUTSIDE: attribution.unclaimed} if attribution.unclaimed else {})}


def write_speedscope(
    target: Path, profiles: Mapping[str, Iterable[StackSample]], *, rate_hz: float | None, redactor: Redactor
) -> None:
    """
    Write samples in speedscope's file format.

    Args:
        target: The file.
        profiles: Name of each profile to its samples.
        rate_hz: Samples a second, which makes weights of milliseconds; without it they are counts.
        redactor: Hides secrets in names and paths.
    """
    frames = _Frames(redactor)
    each_ms = 1000 / rate_hz if rate_hz else None
    content = {
        "$schema": SCHEMA,
        "exporter": "dam-obs",
        "name": target.parent.name,
        "activeProfileIndex": 0,
        "profiles": [_profile(redactor.frame(name), samples, frames, each_ms) for name, samples in profiles.items()],
        "shared": {"frames": frames.table},
    }
    write_whole(target, msgspec.json.encode(content))


def _profile(name: str, samples: Iterable[StackSample], frames: _Frames, each_ms: float | None) -> dict[str, Any]:
    stacks: list[list[int]] = []
    weights: list[float] = []
    for sample in samples:
        stacks.append(list(frames.numbers(sample.frames)))
        weights.append(sample.weight if each_ms is None else round(sample.weight * each_ms, 6))
    return {
        "type": "sampled",
        "name": name,
        "unit": "none" if each_ms is None else "milliseconds",
        "startValue": 0,
        "endValue": round(sum(weights), 6),
        "samples": stacks,
        "weights": weights,
    }


class _Frames:
    """The table of frames that all profiles of a file share."""

    def __init__(self, redactor: Redactor) -> None:
        self.table: list[dict[str, Any]] = []
        self._redactor = redactor
        self._numbers: dict[Frame, int] = {}

    def numbers(self, frames: Iterable[Frame]) -> Iterator[int]:
        """Yield the number of each frame; tags are left out."""
        for frame in frames:
            if frame in self._numbers:
                yield self._numbers[frame]
            elif span_id_of(frame) is None:
                yield self._add(frame)

    def _add(self, frame: Frame) -> int:
        shown: dict[str, Any] = {"name": self._redactor.frame(frame.function)}
        if frame.file:
            shown["file"] = self._redactor.path(frame.file)
        if frame.line is not None:
            shown["line"] = frame.line
        self.table.append(shown)
        self._numbers[frame] = len(self.table) - 1
        return self._numbers[frame]


def _executions(run: RunFolder) -> dict[str, tuple[str, int | None]]:
    """Return, by OTel span id, the system and the process of every execution."""
    try:
        return {
            event.otel_span_id: (f"{event.component} ({event.hrm_layer}.{event.operation})", event.pid)
            for event in read_events(run.trace)
            if event.otel_span_id is not None
        }
    except NoTraceFound:
        return {}
