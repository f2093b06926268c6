"""What can be wrong with a wish to export."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from dam_obs.errors import DamObsError
from dam_obs.store.runs import RunFolder
from dam_obs.text import printable

NAMES_SHOWN = 5


class NoSamples(DamObsError):
    """A run has no samples to export."""

    def __init__(self, run: RunFolder, why: str, remedy: str) -> None:
        super().__init__(f"{run.path} has no samples ({printable(why)}): {printable(remedy)}")
        self.run = run
        self.why = why
        self.remedy = remedy


class SystemNotSampled(DamObsError):
    """A system was asked for that no sample was taken in."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        near = get_close_matches(name, known, n=NAMES_SHOWN, cutoff=0.3) or sorted(known)[:NAMES_SHOWN]
        hint = f"name one of {', '.join(near)}" if near else "leave --system out to export what there is"
        super().__init__(f"no sample was taken in the system {printable(name)}: {printable(hint)}")
        self.name = name


class AmbiguousSystem(DamObsError):
    """The last part of a name was given, and several systems end in it."""

    def __init__(self, name: str, same: Sequence[str]) -> None:
        super().__init__(f"{printable(name)} is the name of several systems: say which, {printable(', '.join(same))}")
        self.name = name


class UnknownSuffix(DamObsError):
    """A file's suffix does not say how OTLP is to be written into it."""

    def __init__(self, path: Path, suffixes: Sequence[str]) -> None:
        super().__init__(
            f"{printable(str(path))} does not say by its suffix how OTLP is to be written: "
            f"end it in .json for JSON, or in {' or '.join(suffixes)} for protobuf"
        )
        self.path = path


class ProfilesUnsupported(DamObsError):
    """The installed OpenTelemetry classes are of another state of the alpha format."""

    def __init__(self, version: str, lacks: str) -> None:
        super().__init__(
            f"opentelemetry-proto {version} has not the profiles format that dam-obs writes ({lacks} is missing): "
            "install another version of opentelemetry-proto, or export as speedscope, chrome or folded"
        )
        self.version = version
        self.lacks = lacks
