"""Run the agent: make its session, take its lines one after the other, and end it cleanly."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Final

from dam_hrm.agent import lines, tracing
from dam_hrm.agent.arguments import Arguments, parse
from dam_hrm.agent.commands import CommandRefused, Quit, run_command
from dam_hrm.agent.output import Json, Output, Plain
from dam_hrm.agent.user import User
from dam_hrm.asking import HookFailed
from dam_hrm.errors import HrmError
from dam_hrm.plugin import plugin_manager
from dam_hrm.session import Session

FAILED: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 130


def main(argv: list[str] | None = None) -> int:
    """Run the agent with a command line, and give its exit status."""
    arguments = parse(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a character is no reason to end
    try:
        flush = tracing.start(arguments.trace)
        given = lines.lines_of(arguments.script)
        session = _session(arguments)
        if arguments.memory is not None:
            asyncio.run(_try_memory(session))
    except (HrmError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return UNUSABLE
    try:
        return _talk(session, given, Json() if arguments.json else Plain(), flush)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED
    except HrmError as error:  # at the end: a line's own are told where it is
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Who read has seen enough. What is still buffered would fail again when Python flushes it at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _session(arguments: Arguments) -> Session:
    is_asked = arguments.script is None and lines.is_terminal()
    user = User(is_there=is_asked, says_yes=arguments.yes)
    folder = None if arguments.memory is None else arguments.memory.expanduser()
    return Session(folder=folder, plugins=plugin_manager(user, without=arguments.without), name="agent")


async def _try_memory(session: Session) -> None:
    """Find out now whether the folder can be used, and not in the middle of a conversation."""
    try:
        await session.memory.read("altitude", "session")
    except HookFailed as error:
        raise (error.__cause__ if isinstance(error.__cause__, HrmError) else error) from None


def _talk(session: Session, given: Iterator[str], output: Output, flush: Callable[[], object]) -> int:
    """Take the lines. They are read outside of the loop, so that Ctrl-C ends a wait for one at once."""
    all_went_well = True
    is_typed = lines.is_terminal()
    with asyncio.Runner() as runner:
        try:
            for line in given:
                try:
                    all_went_well &= runner.run(_do(session, line, output))
                except Quit:
                    break
                flush()
        finally:
            runner.run(session.aclose())
            flush()
    return 0 if all_went_well or is_typed else FAILED


async def _do(session: Session, line: str, output: Output) -> bool:
    """Do what a line says; say whether that went well. A refusal did."""
    if not line.startswith("/"):
        turn = await session.turn(line)
        output.turn(turn, session)
        return turn.status != "error"
    try:
        output.command(line, await run_command(session, line))
    except CommandRefused as refused:
        output.failed(line, str(refused))
    except HrmError as error:
        output.failed(line, str(error))
        return False
    return True
