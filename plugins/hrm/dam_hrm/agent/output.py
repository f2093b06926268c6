"""What the agent writes: for people a reply and its notes, for programs one JSON object for each line that was read."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from dam_hrm.session import Session
    from dam_hrm.turn import Turn

_BEFORE: Final = {"success": "", "blocked": "Blocked: ", "error": "Error: "}


class Output(Protocol):
    """Where what the agent has to say goes."""

    def turn(self, turn: Turn, session: Session) -> None:
        """Show a turn."""

    def command(self, line: str, shown: str) -> None:
        """Show what a command gave."""

    def failed(self, line: str, why: str) -> None:
        """Show that a line could not be done."""


class Plain:
    """For people."""

    def turn(self, turn: Turn, session: Session) -> None:
        """Write the reply, then the notes."""
        _write(f"{_BEFORE[turn.status]}{turn.reply}", *(f"  ({note})" for note in turn.notes))

    def command(self, line: str, shown: str) -> None:
        """Write it as it is."""
        _write(shown)

    def failed(self, line: str, why: str) -> None:
        """Write one line to standard error."""
        print(f"error: {_printable(' '.join(why.split()))}", file=sys.stderr, flush=True)


class Json:
    """For programs: each object has ``kind``, ``turn``, ``command`` or ``error``."""

    def turn(self, turn: Turn, session: Session) -> None:
        """Write the turn, and where the session is after it."""
        lane = session.focus.lane
        _write_json(
            kind="turn",
            session=session.name,
            number=turn.number,
            text=turn.text,
            reply=turn.reply,
            status=turn.status,
            notes=list(turn.notes),
            failure=None if turn.failure is None else str(turn.failure),
            level=session.altitude.level.value,
            stance=session.focus.stance.value,
            lane=None if lane is None else lane.lane_id,
            escalation=session.reasoning.level,
        )

    def command(self, line: str, shown: str) -> None:
        """Write what it gave as lines of text."""
        _write_json(kind="command", text=line, output=shown.splitlines())

    def failed(self, line: str, why: str) -> None:
        """Write why."""
        _write_json(kind="error", text=line, error=why)


def _write(*lines: str) -> None:
    print(*map(_printable, lines), sep="\n", flush=True)


def _printable(text: str) -> str:
    """Show what could move the cursor or change colours as an escape."""
    return "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text)


def _write_json(**values: Any) -> None:
    print(json.dumps(values, ensure_ascii=False), flush=True)
