"""The formats by name: what each is written by, and what its file is called in a run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dam_obs.diagnose.export.chrome import chrome
from dam_obs.diagnose.export.folded import folded
from dam_obs.diagnose.export.otlp_profiles import (
    JSON_SUFFIX,
    as_json,
    as_protobuf,
    check_suffix,
    otlp_profiles,
)
from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.diagnose.export.speedscope import speedscope
from dam_obs.store.runs import RunFolder


@dataclass(frozen=True, slots=True)
class Format:
    """One format."""

    file_name: str
    """Of its file in the run folder."""
    parts: Callable[[RunSamples, Path], Iterable[bytes]]
    """Makes the content of a file; its name may say how."""
    check: Callable[[Path], None] = lambda _: None
    """Refuses the name of a file that the format cannot be written to."""


def _otlp(samples: RunSamples, path: Path) -> Iterable[bytes]:
    data = otlp_profiles(samples)
    return as_json(data) if path.suffix == JSON_SUFFIX else as_protobuf(data)


FORMATS: Final = {
    "speedscope": Format("export.speedscope.json", lambda samples, _: speedscope(samples)),
    "chrome": Format("export.chrome.json", lambda samples, _: chrome(samples)),
    "otlp-profiles": Format("export.otlp.json", _otlp, check_suffix),
    "folded": Format("export.folded.txt", lambda samples, _: folded(samples)),
}


def default_path(run: RunFolder, name: str) -> Path:
    """Return where a run is exported to if nobody says where."""
    return run.path / FORMATS[name].file_name
