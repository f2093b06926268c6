"""``dam-obs points``: list and check trace points, and tell what they attached to."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dam_obs.cli._base import console, echo_json, json_option
from dam_obs.config import load_settings
from dam_obs.errors import DamObsError
from dam_obs.points.attach import AttachReport, attached
from dam_obs.points.check import applies, event_problems, target_problems
from dam_obs.points.files import point_paths
from dam_obs.points.load import load_file, read_file
from dam_obs.points.model import AttributeRead, Plain, TracePoint, TracePointFile
from dam_obs.store.find import find_source
from dam_obs.store.processes import read_processes
from dam_obs.store.read import read_events
from dam_obs.text import printable

if TYPE_CHECKING:
    from dam_obs.trace.process import ProcessNote

FOUND_PROBLEMS = 2

_files_argument = click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")


class NotARun(DamObsError):
    """Only a run folder says what was attached in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is no run folder, so it does not say what was attached: "
            "name one that `dam-obs diagnose` made, or use --import MODULE"
        )


class ModuleNotImported(DamObsError):
    """A module that the user named does not import."""

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(f"--import {name}: it does not import ({type(error).__name__}: {error})")


@click.group("points")
def command() -> None:
    """List and check trace points, and what they attached to."""


def _all_files(files: tuple[Path, ...]) -> list[TracePointFile]:
    """Return the files of plugins and settings, and those that were named."""
    settings = load_settings().settings
    paths = dict.fromkeys([*point_paths(settings), *(path.absolute() for path in files)])
    return [load_file(path) for path in paths]


@command.command("list")
@_files_argument
@json_option
def list_points(files: tuple[Path, ...], as_json: bool) -> None:
    """List the trace points of installed plugins, of the settings, and of FILEs."""
    loaded = _all_files(files)
    if as_json:
        echo_json([_as_plain(file, point) for file in loaded for point in file.points])
        return
    if not loaded:
        click.echo("No trace points: install a plugin that brings some, or name a file (see docs/trace-points.md).")
        return
    from rich.table import Table

    table = Table("Point", "Meaning", "Data", "Targets", "Host", box=None, pad_edge=False)
    for file in loaded:
        for point in file.points:
            data = ", ".join(each.name for each in point.data)
            targets = "\n".join(str(target.place) for target in point.targets)
            table.add_row(*map(_lines, (point.name, point.meaning, data, targets, file.host)))
    console().print(table)


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _as_plain(file: TracePointFile, point: TracePoint) -> dict[str, Any]:
    return {
        "point": point.name,
        "meaning": point.meaning,
        "kind": point.kind,
        "level": point.level,
        "data": [{"name": each.name, "type": each.type, "meaning": each.meaning} for each in point.data],
        "attributes": {name: _attribute(value) for name, value in point.attributes.items()},
        "targets": [str(target.place) for target in point.targets],
        "host": file.host,
        "file": str(file.path),
    }


def _attribute(value: Plain | AttributeRead) -> Any:
    return {"from": str(value.path), "type": value.type} if isinstance(value, AttributeRead) else value


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--events", metavar="TRACE", help="Also check that the events of this trace carry what was promised.")
@click.option("--no-import", is_flag=True, help="Do not import the targets' modules.")
def check(files: tuple[Path, ...], events: str | None, no_import: bool) -> int:
    """
    Check trace-point FILEs: what they say, whether their targets are there, what events carry.

    Modules that the targets are in are imported for it, from the current folder too.
    """
    _let_current_folder_be_imported()
    problems = []
    usable: list[TracePoint] = []
    for path in files:
        result = read_file(path)
        found = [str(problem) for problem in result.problems]
        if result.file is not None:
            usable.extend(result.file.points)
            found.extend(() if no_import else _target_problems(result.file))
        problems.extend(found)
        if not found and result.file is not None:
            click.echo(printable(f"{path}: {_summary(result.file)}"))
    if events is not None:
        problems.extend(event_problems(usable, read_events(find_source(events).trace)))
    for problem in problems:
        click.echo(printable(problem))
    return FOUND_PROBLEMS if problems else 0


def _target_problems(file: TracePointFile) -> Iterable[str]:
    if applies(file):
        return target_problems(file)
    click.echo(printable(f"{file.path}: targets not looked for, since {file.requires} is not installed here"))
    return ()


def _summary(file: TracePointFile) -> str:
    targets = sum(len(point.targets) for point in file.points)
    return f"{_counted(len(file.points), 'point')} with {_counted(targets, 'target')}, nothing wrong"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@command.command("attach-report")
@click.argument("source", required=False, metavar="[RUN]")
@click.option("--import", "modules", multiple=True, metavar="MODULE", help="Import this and tell what attached to it.")
@click.option("--points", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="As for run.")
@json_option
def attach_report(source: str | None, modules: tuple[str, ...], files: tuple[Path, ...], as_json: bool) -> None:
    """
    Tell which points were attached, which targets were not found, and which references go past a point.

    Of RUN, by default the newest one; or of modules that are imported for it.
    """
    if modules:
        report = _report_of_imports(modules, files)
        echo_json(report) if as_json else _print_report(report)
        return
    found = find_source(source)
    if found.run is None:
        raise NotARun(found.trace)
    notes = read_processes(found.run)
    if as_json:
        echo_json([_note_as_plain(note) for note in notes])
        return
    for note in notes:
        click.echo(printable(f"{note.program} (process {note.pid})"))
        _print_lists(note.points_attached, note.points_missing, note.references_escaped)


def _report_of_imports(modules: tuple[str, ...], files: tuple[Path, ...]) -> AttachReport:
    _let_current_folder_be_imported()
    with attached(_all_files(files)) as attachment:
        for name in modules:
            try:
                importlib.import_module(name)
            except (Exception, SystemExit) as error:
                raise ModuleNotImported(name, error) from error
        return attachment.report(thorough=True)


def _print_report(report: AttachReport) -> None:
    _print_lists([str(each) for each in report.attached], [str(each) for each in report.missing], report.escaped)
    _print_list("waiting for their module to be imported", [str(each) for each in report.waiting])
    _print_list("data that can never be read", report.unreadable)


def _print_lists(attached_: Iterable[str], missing: Iterable[str], escaped: Iterable[str]) -> None:
    _print_list("attached", attached_)
    _print_list("not found", missing)
    _print_list("references that go past a point", escaped)


def _print_list(title: str, lines: Iterable[str]) -> None:
    shown = list(lines)
    click.echo(f"  {len(shown)} {title}")
    for line in shown:
        click.echo(f"    {printable(line)}")


def _note_as_plain(note: ProcessNote) -> dict[str, Any]:
    return {
        "pid": note.pid,
        "program": note.program,
        "attached": note.points_attached,
        "missing": note.points_missing,
        "escaped": note.references_escaped,
    }


def _let_current_folder_be_imported() -> None:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
