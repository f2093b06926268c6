"""
Put drafts into the source files of their systems: plan all of it first, then write all of it or nothing.

A system whose code is elsewhere, or that is a function, is left out and said to be. What
cannot be put where it belongs, and a method that a person wrote or edited, stops
everything: then no file is touched.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from dam_obs.diagnose.report import DiagnosticReport, SystemDiagnosis
from dam_obs.draft.errors import DraftRefused, NotWritten, Unwritable
from dam_obs.draft.insert import Owner, insert
from dam_obs.draft.literals import shown
from dam_obs.draft.locate import Location, NotHere, locate
from dam_obs.draft.names import class_name, command_type
from dam_obs.draft.patch import top_of, unified
from dam_obs.draft.source import Unplaced
from dam_obs.draft.target import choose
from dam_obs.draft.telling import Tell, nobody, parts
from dam_obs.draft.write import Drafts
from dam_obs.text import printable

Action = Literal["inserted", "replaced", "unchanged"]

_ANY_WRITE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What is done for one system."""

    system: str
    path: Path
    line: int
    """Of its class, before anything is written."""
    action: Action
    owner: Owner
    """Of the method that was there."""
    diff: bytes
    """From the method that was there to the drafted one."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A file as it is, and as it is to become."""

    path: Path
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be written; nothing is yet."""

    top: Path
    """What paths are told relative to: the top of the repository, else the source folder."""

    placed: list[Placed] = field(default_factory=list)

    left_out: dict[str, str] = field(default_factory=dict)
    """System to the reason why its draft goes into no file here."""

    refused: dict[str, str] = field(default_factory=dict)
    """System to the reason why its draft does not go into its file."""

    files: list[Rewritten] = field(default_factory=list)
    """Those that change."""

    def name(self, path: Path) -> str:
        """Return a path as it is told."""
        return path.relative_to(self.top).as_posix() if path.is_relative_to(self.top) else path.as_posix()

    def patch(self) -> bytes:
        """Return all changes as one diff."""
        return b"".join(unified(self.name(each.path), each.before, each.after) for each in self.files)

    def somebodys(self) -> list[Placed]:
        """List the methods that would be replaced and are a person's work."""
        return [each for each in self.placed if each.action == "replaced" and each.owner in ("edited", "person")]


def plan(report: DiagnosticReport, drafts: Drafts, source: Path, *, tell: Tell = nobody) -> Plan:
    """
    Say what becomes of which file.

    Args:
        report: What the drafts were made of.
        drafts: Those to write.
        source: The folder that the files must be in, or the file.
        tell: Told how far it is.

    Raises:
        Unwritable: There is no such folder.
    """
    try:
        root = source.resolve(strict=True)
    except OSError as error:
        raise Unwritable(source, error.strerror or "cannot be read") from None
    folder = root if root.is_dir() else root.parent
    planning = _Planning(Plan(top=top_of(folder)), root)
    for system, _ in parts(report.systems, tell):
        if system.system in drafts.sources:
            planning.add(system, drafts.sources[system.system])
    return planning.finished()


def apply(planned: Plan, *, force: bool = False) -> None:
    """
    Write what was planned: every file whole and with its mode, or none.

    Raises:
        NotWritten: Something is refused, or would replace a person's work without `force`.
        Unwritable: A file cannot be written, or changed since it was read.
    """
    require(planned, force=force)
    for each in planned.files:
        _require_writable(each)
    ready: list[Path] = []
    done: list[Rewritten] = []
    current = planned.top
    try:
        for each in planned.files:
            current = each.path
            ready.append(_beside(each.path, each.after))
        for each, beside in zip(planned.files, ready, strict=True):
            current = each.path
            os.replace(beside, each.path)
            done.append(each)
    except OSError as error:
        for each in done:
            os.replace(_beside(each.path, each.before), each.path)
        raise Unwritable(current, error.strerror or "cannot be replaced") from error
    finally:
        for beside in ready:
            beside.unlink(missing_ok=True)


def require(planned: Plan, *, force: bool = False) -> None:
    """
    Make sure that nothing stands against what was planned.

    Raises:
        NotWritten: Something does.
    """
    reasons = [f"{shown(system)}: {why}" for system, why in planned.refused.items()]
    if not force:
        for each in planned.somebodys():
            whose = "was edited since it was drafted" if each.owner == "edited" else "was written by a person"
            where = f"{planned.name(each.path)}, class in line {each.line}"
            reasons.append(f"{shown(each.system)}: calculate_traits {whose} ({shown(where)})")
    if reasons:
        raise NotWritten(reasons, can_be_forced=not planned.refused, excerpt=_excerpt(planned, force=force))


def _excerpt(planned: Plan, *, force: bool) -> list[str]:
    """Show what would become of methods that are a person's work."""
    diffs = [] if force else [each.diff for each in planned.somebodys()]
    lines = b"".join(diffs).decode("utf-8", "replace").split("\n")
    return [printable(line.expandtabs(4)) for line in lines if line and not line.startswith("diff --git ")]


class _Planning:
    """Adds one system after the other to a plan; several may be in one file."""

    def __init__(self, plan: Plan, root: Path) -> None:
        self._plan = plan
        self._root = root
        self._before: dict[Path, bytes] = {}
        self._after: dict[Path, bytes] = {}
        self._classes: dict[tuple[Path, str], str] = {}

    def add(self, system: SystemDiagnosis, draft: str) -> None:
        """Add one system's draft."""
        try:
            location = locate(system, self._root)
        except NotHere as reason:
            self._plan.left_out[system.system] = str(reason)
            return
        try:
            self._place(system, draft, location)
        except DraftRefused as error:
            self._plan.refused[system.system] = error.why
        except Unplaced as reason:
            kept = self._plan.left_out if reason.is_function else self._plan.refused
            kept[system.system] = f"{reason} ({shown(self._plan.name(location.path))})"

    def _place(self, system: SystemDiagnosis, draft: str, location: Location) -> None:
        path = location.path
        other = self._classes.setdefault((path, location.qualname), system.system)
        if other != system.system:
            raise Unplaced(f"its class is that of {shown(other)}, too: choose one with --system")
        if path not in self._before:
            self._before[path] = self._after[path] = _read(path)
        which = choose(self._before[path], location.qualname, location.seen)
        is_dict = system.command_type == "builtins:dict"
        command = None if is_dict else command_type(system.command_type or "", taken=class_name(system.system))
        done = insert(self._after[path], draft, which, command=command, module=location.module)
        name = self._plan.name(path)
        diff = unified(name, done.before.replace("\r\n", "\n").encode(), done.after.encode()) if done.changed else b""
        action: Action = "unchanged" if not done.changed else "inserted" if done.owner == "nobody" else "replaced"
        self._plan.placed.append(
            Placed(system=system.system, path=path, line=which.line, action=action, owner=done.owner, diff=diff)
        )
        self._after[path] = done.data

    def finished(self) -> Plan:
        """Return the plan."""
        changed = [
            Rewritten(path, before, self._after[path])
            for path, before in self._before.items()
            if before != self._after[path]
        ]
        return replace(self._plan, files=changed)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unplaced(f"the file cannot be read: {error.strerror}") from error


def _require_writable(each: Rewritten) -> None:
    """Refuse before anything is written what could not be, a file without any right to write among it."""
    try:
        mode = each.path.stat().st_mode
        same = each.path.read_bytes() == each.before
    except OSError as error:
        raise Unwritable(each.path, error.strerror or "cannot be read") from error
    if not same:
        raise Unwritable(each.path, "was changed while its draft was made")
    if not mode & _ANY_WRITE or not os.access(each.path, os.W_OK) or not os.access(each.path.parent, os.W_OK):
        raise Unwritable(each.path, "is not writable")


def _beside(path: Path, content: bytes) -> Path:
    """Write a file of the same mode and owner beside another, to be put in its place."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        kept = path.stat()
        with suppress(PermissionError):  # only root gives files away; then it is ours, as for any editor
            os.chown(name, kept.st_uid, kept.st_gid)
        shutil.copymode(path, name)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside
