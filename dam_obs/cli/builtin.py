"""
The commands that dam-obs ships, in the order of the loop.

A plugin like anyone's. Each command is a module of `dam_obs.cli` with a click command
called ``command``; here stands only what the list of commands shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dam_obs.hookspecs import hookimpl

if TYPE_CHECKING:
    import click

COMMANDS: Final = (
    ("run", "Run a program and record what it does."),
    ("diagnose", "Measure a program at work and report on every system."),
    ("report", "Open a run's report, or make it anew."),
    ("export", "Write samples for speedscope, Perfetto, flame graphs or OTLP."),
    ("draft", "Draft calculate_traits code from a run, for review."),
    ("backtest", "Compare what a draft says with what a run took."),
    ("check", "Say where declared traits differ from observed ones."),
    ("view", "Show recorded events, as a list or as trees."),
    ("stats", "Sum up recorded events by layer, and the slowest ones."),
    ("diff", "Say what got slower or fails more often than in earlier events."),
    ("points", "List and check trace points, and what they attached to."),
    ("doctor", "Say what works here, what does not, and how to fix it."),
)


@hookimpl
def dam_obs_commands(cli: click.Group) -> None:
    """Add the commands of dam-obs."""
    from dam_obs.cli._group import LazyCommand

    for name, short_help in COMMANDS:
        cli.add_command(LazyCommand(name, f"dam_obs.cli.{name}:command", short_help))
