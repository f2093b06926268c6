"""One turn of a session: what came in, what went out, and how it got there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from dam_hrm.asking import HookFailed
from dam_hrm.checks import check_each, check_type, check_word

Status = Literal["success", "blocked", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn came to."""

    number: int
    text: str
    reply: str
    status: Status
    notes: tuple[str, ...] = ()
    """What the user is told beside the reply: what was skipped, denied, learned."""
    failure: HookFailed | None = None
    """What failed, where the status is ``error``."""

    def __post_init__(self) -> None:
        check_type("a reply", self.reply, str)
        check_word("a turn's status", self.status, get_args(Status))
        check_each("a turn's notes", self.notes, str)


class TurnFailed(HookFailed):
    """A turn that a layer's failure ended. `__cause__` is that failure."""

    def __init__(self, cause: HookFailed, *, done: str = "", notes: tuple[str, ...] = ()) -> None:
        super().__init__(cause.hook, str(cause).removeprefix(f"{cause.hook}: "), cause.plugin)
        self.done = done
        """What had been done before, in words for the user."""
        self.notes = notes


def broken_turn(number: int, text: str, error: HookFailed) -> Turn:
    """Make the turn that tells the user of a failure."""
    done = error.done if isinstance(error, TurnFailed) else ""
    notes = error.notes if isinstance(error, TurnFailed) else ()
    reply = f"The {_layer(error.hook)} failed ({error}). You can go on."
    if done:
        reply = f"{reply} Before that: {done}"
    return Turn(number=number, text=text, reply=reply, status="error", notes=notes, failure=error)


def _layer(hook: str) -> str:
    """Name the layer that a hook belongs to: its names are ``dam_hrm_<layer>_<operation>``."""
    word = hook.removeprefix("dam_hrm_").split("_")[0]
    if word in ("gate", "ask", "signal", "bundles", "reducer", "agent"):
        word = "focus"
    if word in ("altitude", "focus", "reasoning", "learning", "memory"):
        return f"{word} layer"
    return "execution" if word == "act" else "turn"
