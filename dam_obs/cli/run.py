"""``dam-obs run``: run a program as it is, and record what it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from dam_obs.config import load_settings
from dam_obs.errors import DamObsError
from dam_obs.points.activate import environment
from dam_obs.points.load import load_file

VERBOSE = "_DAM_OBS_VERBOSE"


class CommandNotFound(DamObsError):
    """There is no program of that name."""

    exit_status = 127

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no program {name}: give its path, or look at PATH")


class CommandNotExecutable(DamObsError):
    """There is a file of that name, and it is no program."""

    exit_status = 126

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} cannot be run ({why}): for a Python script, write `-- python {name}`")


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.argument("command_line", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--trace", is_flag=True, help="Print the tree of what happened to standard error, too.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write events here. [default: trace.jsonl]",
)
@click.option(
    "--points",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A trace-point file besides those of plugins and settings; may be given again.",
)
def command(command_line: tuple[str, ...], trace: bool, output: Path | None, points: tuple[Path, ...]) -> None:
    """
    Run COMMAND and record what its Python processes do.

    The command is not changed: its output, its exit status and its signals are its own.
    """
    for path in points:
        load_file(path)
    given: dict[str, object] = {"enabled": True, "console": trace or None, "output": output}
    if points:
        given["points"] = (*load_settings().settings.points, *points)
    loaded = load_settings(given)
    environ = environment(loaded.settings, os.environ, loaded.origins)
    if click.get_current_context().find_root().params.get("verbose"):
        environ[VERBOSE] = "1"
    replace_this_process(command_line, environ)


def replace_this_process(command_line: tuple[str, ...], environ: dict[str, str]) -> NoReturn:
    """
    Become the command.

    Raises:
        CommandNotFound, CommandNotExecutable: that is not possible.
    """
    name = command_line[0]
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(name, command_line, environ)  # noqa: S606 - what the user asked for
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CommandNotFound(name) from error
    except OSError as error:
        raise CommandNotExecutable(name, error.strerror or type(error).__name__) from error
