"""``dam-obs doctor``: what works here, what does not, and the exact way to fix it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Final

import click

from dam_obs.cli._base import console, echo_json, json_option
from dam_obs.cli._checks import Check, Place, python_of, run_checks
from dam_obs.config import LoadedSettings, Settings, collect_settings
from dam_obs.plugins import plugin_manager
from dam_obs.text import printable

_COLOURS: Final = {"ok": "green", "limited": "yellow", "missing": "yellow", "broken": "bold red"}


@click.command("doctor")
@click.option(
    "--python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The interpreter that runs your program, if it is not `python` on the path.",
)
@click.option("--from", "source", metavar="URI", help="Look at this backend, too, that events are to be read from.")
@json_option
def command(python: Path | None, source: str | None, as_json: bool) -> int:
    """
    Say what works here, what does not, and how to fix it.

    Nothing is changed. py-spy is tried on a child process, and a configured collector is
    connected to. Exit status 1 if something that was asked for is broken, else 0.
    """
    place = Place(python=python or python_of(os.environ), folder=Path.cwd(), environ=os.environ, source=source)
    loaded = collect_settings(folder=place.folder)
    with _told_by_checks_alone():
        manager = plugin_manager("analysis", loaded.settings)
        checks = list(run_checks(place, loaded, manager))

    if as_json:
        echo_json({"checks": checks, "settings": _settings(loaded), "project": loaded.project})
    else:
        _print(checks, loaded)
    return 1 if any(check.state == "broken" for check in checks) else 0


@contextmanager
def _told_by_checks_alone() -> Iterator[None]:
    """Keep our log quiet meanwhile, unless it was asked for: the checks tell the same."""
    logger = logging.getLogger("dam_obs")
    level = logger.level
    if not logging.getLogger().handlers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _settings(loaded: LoadedSettings) -> list[dict[str, object]]:
    return [
        {
            "name": field.name,
            "value": getattr(loaded.settings, field.name),
            "source": loaded.origins[field.name].source,
            "origin": str(loaded.origins[field.name]),
        }
        for field in fields(Settings)
    ]


def _print(checks: Sequence[Check], loaded: LoadedSettings) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    previous = ""
    for check in checks:
        text = Text(printable(check.says))
        if check.remedy:
            text.append("\n→ " + printable(check.remedy), style="cyan" if check.state != "ok" else "dim")
        shown = "" if check.name == previous else printable(check.name)
        table.add_row(Text(check.state, style=_COLOURS[check.state]), Text(shown, style="bold"), text)
        previous = check.name
    out.print(table)
    out.print()
    _print_settings(loaded)
    out.print(Text(_verdict(checks), style="bold"))


def _print_settings(loaded: LoadedSettings) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    for field in fields(Settings):
        origin = loaded.origins[field.name]
        style = "dim" if origin.source == "default" else ""
        value = printable(_shown(getattr(loaded.settings, field.name)))
        table.add_row(Text(field.name, style), Text(value, style), Text(printable(str(origin)), style))
    console().print(table)
    console().print()


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value)


def _verdict(checks: Sequence[Check]) -> str:
    broken = sum(check.state == "broken" for check in checks)
    lesser = sum(check.state in ("limited", "missing") for check in checks)
    if broken:
        return f"{broken} broken, {lesser} limited or missing: see the arrows above."
    if lesser:
        return f"dam-obs works here; {lesser} limited or missing: see the arrows above."
    return "All works here."
