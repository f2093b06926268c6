"""
Build the top group, run a command, and turn what it raises into a line and an exit status.

Only here are errors printed: one line on standard error for what a person can mend, a
traceback for a bug of ours.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import click

from dam_obs import __version__
from dam_obs.cli._group import TopGroup
from dam_obs.config import Settings, collect_settings
from dam_obs.errors import DamObsError
from dam_obs.plugins import BUILT_IN, call_each, implementations, plugin_manager
from dam_obs.text import printable

HELP = """
Watch a Python program at work, and learn what its systems really cost.

\b
  trace     see what ran, under what, and for how long
  diagnose  measure where the time went: CPU, disk, network, waiting
  draft     turn what was measured into calculate_traits code to review

\b
Start with these two, in the folder of your program:
  dam-obs diagnose -- python your_program.py
  dam-obs draft

\b
If something is missing, `dam-obs doctor` says what and how to fix it.
"""

INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 1
"""As click has it, which meets most of them first."""


@dataclass
class Invocation:
    """What holds for one run of the command line."""

    verbose: bool = False


def build() -> TopGroup:
    """Make the top group with the commands of dam-obs; those of plugins follow when they are needed."""
    group = TopGroup(
        "dam-obs",
        help=HELP,
        callback=_top,
        params=[
            click.Option(["-v", "--verbose"], is_flag=True, help="Show tracebacks and what dam-obs logs."),
        ],
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        no_args_is_help=True,
        subcommand_metavar="COMMAND ...",
    )
    click.version_option(__version__, prog_name="dam-obs", message="%(prog)s %(version)s")(group)
    call_each(plugin_manager("cli", Settings(plugins=False)), "dam_obs_commands", cli=group)
    group.load_plugin_commands = _ask_plugins
    return group


def _top(verbose: bool) -> None:
    click.get_current_context().find_object(Invocation).verbose = verbose  # type: ignore[union-attr]
    if verbose:
        logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s", stream=sys.stderr)


def _ask_plugins(group: TopGroup) -> None:
    """Add the commands of installed plugins; one that fails costs its own commands only."""
    manager = plugin_manager("cli", collect_settings().settings)
    for implementation in implementations(manager, "dam_obs_commands"):
        if implementation.plugin not in BUILT_IN["cli"]:
            with implementation.guard:
                implementation({"cli": group})


def run(arguments: Sequence[str] | None) -> int:
    """Run the command line; return its exit status."""
    _never_fail_to_print()
    invocation = Invocation()
    try:
        status = build().main(
            args=None if arguments is None else list(arguments),
            prog_name="dam-obs",
            standalone_mode=False,
            obj=invocation,
        )
        sys.stdout.flush()
    except DamObsError as error:
        return _fail(str(error), error.exit_status, invocation, error.excerpt)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return error.exit_code
    except click.ClickException as error:
        return _fail(_usage_message(error), error.exit_code, invocation)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return BROKEN_PIPE
    return status if isinstance(status, int) else 0


def _usage_message(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message} (see `{context.command_path} --help`)" if context is not None else message


def _fail(message: str, status: int, invocation: Invocation, excerpt: Sequence[str] = ()) -> int:
    if invocation.verbose:
        traceback.print_exc()
    styled = click.style("dam-obs: error:", fg="red", bold=True)
    click.echo(f"{styled} {printable(message)}", err=True, color=False if os.environ.get("NO_COLOR") else None)
    for line in excerpt:
        click.echo(f"  {printable(line)}", err=True)
    return status


def _never_fail_to_print() -> None:
    """Print what the terminal's encoding does not know as an escape, rather than raise."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _forget_stdout() -> None:
    """Let the interpreter's last flush go nowhere: who was to read has gone."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):  # no file behind it
        return
