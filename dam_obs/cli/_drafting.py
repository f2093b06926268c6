"""``dam-obs draft --write`` and ``--patch``: drafts into the source files of their systems, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from dam_obs.cli._base import echo_json
from dam_obs.cli._reading import telling
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.draft.errors import DraftRefused, NotWritten
from dam_obs.draft.literals import shown
from dam_obs.draft.rewrite import Plan, apply, plan, require
from dam_obs.draft.write import Drafts
from dam_obs.text import printable

SCHEMA_VERSION: Final = 1


def into_sources(
    report: DiagnosticReport,
    drafts: Drafts,
    source: Path,
    *,
    patch: bool,
    force: bool,
    by_name: bool,
    as_json: bool,
    also: Mapping[str, Any],
) -> None:
    """
    Put drafts into source files, or print the diff that would.

    Args:
        report: What the drafts were made of.
        drafts: What to write.
        source: The folder that the files must be in, or the file.
        patch: Print the diff instead of writing.
        force: Replace what a person edited or wrote.
        by_name: The systems were asked for by name: one that is left out is a failure.
        as_json: Print JSON.
        also: What else the JSON says.

    Raises:
        NotWritten: Something is in the way; no file was touched.
        DraftRefused: A system that was asked for is left out; no file was touched.
    """
    with telling("Reading source files") as tell:
        planned = plan(report, drafts, source, tell=tell)
    for system, why in planned.left_out.items() if by_name else ():
        raise DraftRefused(why, system=system)
    try:
        require(planned, force=force)
    except NotWritten:
        if as_json:
            echo_json({**_document(planned, drafts, patch=False, done=False), **also})
        raise
    if not patch:
        apply(planned, force=force)
    if as_json:
        echo_json({**_document(planned, drafts, patch=patch, done=not patch), **also})
    elif patch:
        click.echo(planned.patch(), nl=False)
    else:
        _tell(planned)
    if not as_json:
        for system, why in planned.left_out.items():
            click.echo(f"{shown(system)}: left out: {why}", err=True)


def _tell(planned: Plan) -> None:
    for each in planned.placed:
        click.echo(f"{printable(planned.name(each.path))}: {shown(each.system)}: calculate_traits {each.action}")


def _document(planned: Plan, drafts: Drafts, *, patch: bool, done: bool) -> dict[str, Any]:
    """Say what was done to which file; ``written`` tells whether it was."""
    stopped = {each.system for each in planned.somebodys()}
    systems: list[dict[str, Any]] = [
        {
            "system": each.system,
            "file": planned.name(each.path),
            "line": each.line,
            "action": "kept" if not done and not patch and each.system in stopped else each.action,
            "method_was": each.owner,
            "why": None,
        }
        for each in planned.placed
    ]
    for action, reasons in (
        ("left out", planned.left_out),
        ("refused", planned.refused),
        ("not drafted", drafts.refused),
    ):
        systems += [
            {"system": name, "file": None, "line": None, "action": action, "method_was": None, "why": why}
            for name, why in reasons.items()
        ]
    made: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "written": done,
        "folder": str(planned.top),
        "systems": systems,
        "files": [planned.name(each.path) for each in planned.files],
    }
    return made | ({"patch": planned.patch().decode("utf-8")} if patch else {})
