"""
The top group of the command line, and commands that are imported when they run.

Commands of installed plugins are asked for only when no command of dam-obs has the name
that was typed, or when all are listed: a plugin costs the other commands no time.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import click

from dam_obs.errors import DamObsError


class CommandNameTaken(DamObsError):
    """A plugin brings a command whose name another one has already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a command `dam-obs {name}` already: give the plugin's another name")


class LibraryMissing(DamObsError):
    """A command needs a library that is not installed."""

    def __init__(self, command: str, library: str) -> None:
        super().__init__(f"`dam-obs {command}` needs {library}: pip install 'dam-obs[cli]'")


class LazyCommand(click.Command):
    """A command that is known by name and one line of help, and imported when it is used."""

    def __init__(self, name: str, target: str, short_help: str) -> None:
        """
        Make a command that stands for another.

        Args:
            name: What the user types.
            target: Where the command is: ``module:attribute``.
            short_help: Its line in the list of commands.
        """
        super().__init__(name, short_help=short_help)
        self.target = target

    def load(self) -> click.Command:
        """Import the command that this one stands for."""
        module, _, attribute = self.target.partition(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "dam_obs":
                raise
            raise LibraryMissing(str(self.name), error.name) from error
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is not a click command")
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Hand over to the command itself."""
        return self.load().make_context(info_name, args, parent=parent, **extra)


class TopGroup(click.Group):
    """The group ``dam-obs``: its own commands in the order of the loop, then those of plugins."""

    load_plugin_commands: Callable[[TopGroup], None] | None = None
    """Called once, when a command is looked for that is not one of dam-obs."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; a name that is taken is refused, so that no plugin replaces what the user knows."""
        name = name or cmd.name or ""
        if name in self.commands:
            raise CommandNameTaken(name)
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names in the order in which they were added."""
        self._ask_plugins()
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in self.commands:
            self._ask_plugins()
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name; of an unknown one tell the nearest."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            nearest = get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"; did you mean `dam-obs {nearest[0]}`?" if nearest else ""
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def _ask_plugins(self) -> None:
        load, self.load_plugin_commands = self.load_plugin_commands, None
        if load is not None:
            load(self)
