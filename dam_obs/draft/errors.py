"""What can be wrong with a draft, or with asking for one."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
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
