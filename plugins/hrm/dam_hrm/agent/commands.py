"""
What a line that begins with ``/`` does: look at the session, or change it past a turn.

A command is a function from the session and the words after its name to what is shown; it raises `HrmError`
for what it cannot do. Both layers' refusals and unknown names end in one line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dam_hrm.errors import HrmError, UnknownName

if TYPE_CHECKING:
    from dam_hrm.session import Session


class CommandRefused(HrmError):
    """A command was given too few words, or what it asked for was refused."""


class Quit(Exception):
    """The user wants to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command."""

    usage: str
    meaning: str
    run: Callable[[Session, Sequence[str]], Awaitable[str]]
    words: int = 0
    """That it needs at least."""


async def run_command(session: Session, line: str) -> str:
    """
    Carry out a line that begins with ``/``, and give what it has to show.

    Raises:
        HrmError: There is no such command, or it could not be done.
        Quit: It was ``/quit``.
    """
    name, *words = line[1:].split() or [""]
    command = COMMANDS.get(name)
    if command is None:
        raise UnknownName("command", f"/{name}", [f"/{each}" for each in COMMANDS])
    if len(words) < command.words:
        raise CommandRefused(f"/{name} needs more words: {command.usage}")
    return await command.run(session, words)


async def _help(session: Session, words: Sequence[str]) -> str:
    width = max(len(command.usage) for command in COMMANDS.values())
    return "\n".join(f"{command.usage:<{width}}  {command.meaning}" for command in COMMANDS.values())


async def _state(session: Session, words: Sequence[str]) -> str:
    established = ", ".join(sorted(session.altitude.established, reverse=True)) or "nothing"
    lane = session.focus.lane
    work = "none" if lane is None else f"{lane.lane_id} ({lane.turns_left} turns left): {lane.goal}"
    return (
        f"level {session.altitude.level.value}, established: {established}\n"
        f"stance {session.focus.stance.value}, lane: {work}\n"
        f"escalation {session.reasoning.level}, patterns {len(session.learning.patterns)}, turns {session.turns}"
    )


async def _level(session: Session, words: Sequence[str]) -> str:
    moved = await session.altitude.transition(words[0], reason=" ".join(words[1:]))
    if not moved.allowed:
        raise CommandRefused(moved.reason)
    note = f" ({moved.note})" if moved.note else ""
    return f"{session.altitude.level.value}: {moved.reason}{note}"


async def _stance(session: Session, words: Sequence[str]) -> str:
    decision = await session.focus.change_stance(words[0], reason=" ".join(words[1:]))
    return _told(decision.allowed, decision.reason)


async def _lanes(session: Session, words: Sequence[str]) -> str:
    lanes = [
        f"{lane.lane_id}: {lane.status}, {lane.turns_left} turns left, {lane.goal}" for lane in session.focus.lanes
    ]
    return "\n".join(lanes) or "no lanes yet: “Let's ...” opens one"


async def _lane(session: Session, words: Sequence[str]) -> str:
    decision = await session.focus.switch_lane(words[0], reason=" ".join(words[1:]))
    return _told(decision.allowed, decision.reason)


async def _renew(session: Session, words: Sequence[str]) -> str:
    decision = await session.focus.renew_lane(words[0])
    return _told(decision.allowed, decision.reason)


async def _complete(session: Session, words: Sequence[str]) -> str:
    decision = await session.focus.complete_lane(reason=" ".join(words))
    return _told(decision.allowed, decision.reason)


async def _consent(session: Session, words: Sequence[str]) -> str:
    operation, scope = words[0], words[1] if len(words) > 1 else "*"
    session.focus.grant(operation, scope)
    return f"{operation} on {scope} is allowed"


async def _revoke(session: Session, words: Sequence[str]) -> str:
    operation, scope = words[0], words[1] if len(words) > 1 else "*"
    session.focus.revoke(operation, scope)
    return f"{operation} on {scope} is no longer allowed"


async def _patterns(session: Session, words: Sequence[str]) -> str:
    patterns = [
        f"{each.pattern_code}: {each.then} ({each.confidence:.2f}{', protected' if each.protected else ''})"
        for each in session.learning.patterns
    ]
    return "\n".join(patterns) or "no patterns yet: what works three times becomes one"


async def _read(session: Session, words: Sequence[str]) -> str:
    found = await session.memory.read(words[0], words[1])
    return f"{found.address.summary}: nothing" if found.tier is None else f"{found.value} ({found.tier.value})"


async def _quit(session: Session, words: Sequence[str]) -> str:
    raise Quit


def _told(allowed: bool, reason: str) -> str:
    if not allowed:
        raise CommandRefused(reason)
    return reason


COMMANDS: Final = {
    command.usage.split()[0].removeprefix("/"): command
    for command in (
        Command(usage="/state", meaning="where the session is", run=_state),
        Command(usage="/level L1..L4 [REASON]", meaning="go to a level", run=_level, words=1),
        Command(usage="/stance NAME [REASON]", meaning="take a stance through its gate", run=_stance, words=1),
        Command(usage="/lanes", meaning="the lines of work", run=_lanes),
        Command(usage="/lane NAME [REASON]", meaning="go on in a lane", run=_lane, words=1),
        Command(usage="/renew NAME", meaning="give a lane a new lease", run=_renew, words=1),
        Command(usage="/complete [REASON]", meaning="end the active lane", run=_complete),
        Command(usage="/consent OPERATION [SCOPE]", meaning="allow it: memory.write notes.*", run=_consent, words=1),
        Command(usage="/revoke OPERATION [SCOPE]", meaning="allow it no more", run=_revoke, words=1),
        Command(usage="/patterns", meaning="what was learned", run=_patterns),
        Command(usage="/read NAMESPACE KEY", meaning="look into memory", run=_read, words=2),
        Command(usage="/help", meaning="this list", run=_help),
        Command(usage="/quit", meaning="end; so does the end of the input", run=_quit),
    )
}
"""The commands by their names."""
