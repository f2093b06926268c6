"""
Make drafts of a report, and write them into a folder.

A system whose draft is refused does not keep the others from theirs: the review says which
and why. Files that a person has edited are left alone unless told otherwise, and then
nothing at all is written.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from dam_obs.diagnose.report import DiagnosticReport, SystemDiagnosis
from dam_obs.draft.check import check
from dam_obs.draft.errors import DraftEdited, DraftRefused, UnknownSystem
from dam_obs.draft.formatting import formatted
from dam_obs.draft.literals import NotALiteral
from dam_obs.draft.names import class_name, file_names
from dam_obs.draft.plot import plot
from dam_obs.draft.review import review_page
from dam_obs.draft.sheet import sheet
from dam_obs.draft.stamp import is_untouched, stamp
from dam_obs.draft.telling import Tell, nobody, parts
from dam_obs.draft.templates import DRAFT, plugin_folders, render
from dam_obs.draft.written import Written

REVIEW_FILE: Final = "review.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """What was made of a report; nothing is written yet."""

    files: dict[str, str]
    """System to the name of its file."""

    sources: dict[str, str]
    """System to its drafted code."""

    refused: dict[str, str]
    """System to the reason why it has no draft."""

    plots: dict[str, str]
    """Name of a picture's file to the picture, an SVG file."""

    review: str
    """The page for the reviewer."""

    written: Mapping[str, Written] = field(default_factory=dict)
    """System to the cost that stands in its draft in the place of the report's own."""

    def contents(self) -> dict[str, str]:
        """Return what is to be written, by file name; the review is the last."""
        code = {self.files[system]: source for system, source in self.sources.items()}
        return code | self.plots | {REVIEW_FILE: self.review}


def make_drafts(
    report: DiagnosticReport,
    *,
    systems: Collection[str] | None = None,
    templates: Sequence[Path] | None = None,
    written: Mapping[str, Written] | None = None,
    tell: Tell = nobody,
) -> Drafts:
    """
    Draft ``calculate_traits`` for the systems of a report that take a command.

    Args:
        report: A diagnosed run.
        systems: Names of systems, or the last part of a name where only one has it; `None` for all.
        templates: Folders of templates that are searched before the built-in one; `None` for those of plugins.
        written: By system's full name, a cost that takes the place of the report's own.
        tell: Told how far it is.

    Raises:
        UnknownSystem: One of `systems` is not in the report.
        DraftRefused: A template of the review is broken.
        NoFormatter: ruff is not installed.
    """
    asked = _asked(report, systems)
    templates = plugin_folders() if templates is None else templates
    written = written or {}
    names = file_names(system.system for system in report.systems)
    sources: dict[str, str] = {}
    refused: dict[str, str] = {}
    for system, _ in parts(asked, tell):
        if system.command_type is None:
            continue
        try:
            sources[system.system] = draft_source(
                system, report.run_id, templates=templates, written=written.get(system.system)
            )
        except DraftRefused as error:
            refused[system.system] = error.why

    files = {name: names[name] for name in sources}
    drawn = {system.system: plot(system) for system in asked if system.system in files.keys() - written.keys()}
    pictures = {name: Path(files[name]).with_suffix(".svg").name for name, picture in drawn.items() if picture}
    page = review_page(
        report, asked, files=files, refused=refused, plots=pictures, templates=templates, written=written
    )
    return Drafts(
        files=files,
        sources=sources,
        refused=refused,
        plots={pictures[name]: _stamped(picture, after_line=1) for name, picture in drawn.items() if picture},
        review=_stamped(page, after_line=0),
        written=written,
    )


def review_text(
    report: DiagnosticReport,
    drafts: Drafts,
    *,
    systems: Collection[str] | None = None,
    plots_at: str | None = None,
    templates: Sequence[Path] | None = None,
) -> str:
    """
    Write the review as the text of a pull request.

    Args:
        report: What the drafts were made of.
        drafts: The drafts.
        systems: As for `make_drafts`.
        plots_at: The address of the folder in which the pictures can be seen; `None` leaves them out, since a
            pull request shows none that are not published somewhere.
        templates: As for `make_drafts`.
    """
    names = {name: Path(file).with_suffix(".svg").name for name, file in drafts.files.items()}
    at = {name: f"{plots_at}/{file}" for name, file in names.items() if plots_at and file in drafts.plots}
    templates = plugin_folders() if templates is None else templates
    asked = _asked(report, systems)
    return review_page(
        report,
        asked,
        files=drafts.files,
        refused=drafts.refused,
        plots=at,
        templates=templates,
        written=drafts.written,
    )


def _stamped(text: str, *, after_line: int) -> str:
    return stamp(text, after_line=after_line, opening="<!-- ", closing=" -->")


def draft_source(
    system: SystemDiagnosis, run_id: str, *, templates: Sequence[Path] = (), written: Written | None = None
) -> str:
    """
    Draft one system's code: formatted, checked and stamped, the same each time.

    Raises:
        DraftRefused: What the report holds, or a template, does not make a draft.
    """
    try:
        content = sheet(system, run_id, written)
        text = render(DRAFT, asdict(content), templates)
        check(text, command=content.command)
        source = stamp(formatted(text), after_line=1)
        check(source, command=content.command)
    except DraftRefused as error:
        raise DraftRefused(error.why, system=system.system) from error
    except (NotALiteral, OverflowError, ValueError, TypeError) as error:
        raise DraftRefused("the report holds a value that cannot be written as code", system=system.system) from error
    return source


def write_drafts(
    report: DiagnosticReport,
    folder: Path,
    *,
    systems: Collection[str] | None = None,
    templates: Sequence[Path] | None = None,
    force: bool = False,
) -> list[Path]:
    """
    Write a file and a picture for each drafted system, and ``review.md``, into `folder`, made where it is missing.

    Args:
        report: A diagnosed run.
        folder: Where to.
        systems: As for `make_drafts`.
        templates: As for `make_drafts`.
        force: Replace files that a person has edited.

    Returns:
        The files written but for pictures, the review last.

    Raises:
        DraftEdited: Files would be replaced that a person has edited, or that dam-obs did not make; none was written.
    """
    drafts = make_drafts(report, systems=systems, templates=templates)
    return save(drafts, folder, force=force)


def save(drafts: Drafts, folder: Path, *, force: bool = False) -> list[Path]:
    """Write drafts into `folder`; see `write_drafts`."""
    contents = {folder / name: text for name, text in drafts.contents().items()}
    edited = [] if force else [path for path in contents if _is_somebodys(path)]
    if edited:
        raise DraftEdited(edited)

    folder.mkdir(parents=True, exist_ok=True)
    for path, text in contents.items():
        _replace(path, text)
    return [path for path in contents if path.name not in drafts.plots]


def _asked(report: DiagnosticReport, systems: Collection[str] | None) -> list[SystemDiagnosis]:
    if systems is None:
        return report.systems
    wanted = {_full_name(name, [system.system for system in report.systems]) for name in systems}
    return [system for system in report.systems if system.system in wanted]


def _full_name(name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    same = [system for system in known if class_name(system) == name]
    if len(same) != 1:
        raise UnknownSystem(name, same or known)
    return same[0]


def _is_somebodys(path: Path) -> bool:
    try:
        return not is_untouched(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (UnicodeDecodeError, OSError):
        return True


def _replace(path: Path, text: str) -> None:
    """Put a whole new file in the place of an old one, never half of one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
