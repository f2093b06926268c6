"""What can be wrong with a draft, or with asking for one."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from dam_obs.draft.literals import shown
from dam_obs.errors import DamObsError


class DraftRefused(DamObsError):
    """What was made for a system is not what a draft may contain."""

    exit_status = 1

    def __init__(self, why: str, *, system: str | None = None) -> None:
        where = f"{shown(system)}: " if system is not None else ""
        super().__init__(f"{where}no draft: {why}")
        self.why = why
        self.system = system


class DraftEdited(DamObsError):
    """A draft would replace a file that a person edited, or that dam-obs did not make."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        names = ", ".join(str(path) for path in self.paths)
        super().__init__(
            f"{names}: edited since it was drafted; add --force to replace, or --output to write elsewhere"
        )


class NotWritten(DamObsError):
    """Drafts do not go into source files as they are; no file was touched."""

    exit_status = 1

    def __init__(self, reasons: Sequence[str], *, can_be_forced: bool, excerpt: Sequence[str] = ()) -> None:
        way_out = "add --force to replace" if can_be_forced else "move it by hand"
        super().__init__(f"no file was written: {'; '.join(reasons)}; {way_out}, or choose other systems with --system")
        self.reasons = tuple(reasons)
        self.excerpt = tuple(excerpt)


class Unwritable(DamObsError):
    """A source file, or the folder of one, is not there or cannot be written; no file was touched."""

    exit_status = 1

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"no file was written: {shown(str(path))}: {why}; see to it, or choose other systems with --system"
        )
        self.path = path
        self.why = why


class UnknownSystem(DamObsError):
    """A draft was asked for a system that is not in the report."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        self.name = name
        self.near = tuple(difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.4))
        hint = f"did you mean {' or '.join(map(shown, self.near))}?" if self.near else f"it has {_some(known)}"
        super().__init__(f"no system {shown(name)} in the report: {hint}")


class NoFormatter(DamObsError):
    """ruff, which formats drafts, could not be run."""

    exit_status = 1

    def __init__(self, why: str) -> None:
        super().__init__(f"ruff could not format a draft ({shown(why)}): install it with `pip install 'dam-obs[cli]'`")


def _some(known: Collection[str]) -> str:
    names = [shown(name) for name in sorted(known)]
    if not names:
        return "none"
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
