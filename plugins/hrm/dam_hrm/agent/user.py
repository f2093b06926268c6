"""The user in front of the agent, as a plugin: asked for consent at the terminal, if there is one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dam_hrm.hookspecs import hookimpl

if TYPE_CHECKING:
    from dam_hrm.focus.values import ConsentRequest


class User:
    """Who sits there, or not."""

    def __init__(self, *, is_there: bool, says_yes: bool) -> None:
        """
        Describe the user.

        Args:
            is_there: There is a terminal to ask at.
            says_yes: Consent to everything was given on the command line.
        """
        self._is_there = is_there
        self._says_yes = says_yes

    @hookimpl
    def dam_hrm_ask_user(self, request: ConsentRequest) -> bool | None:
        """Ask, unless the answer is given already; an input that has ended is a no."""
        if self._says_yes:
            return True
        if not self._is_there:
            return None
        with _interruptible():
            try:
                answer = input(f"Allow {request.summary}? [y/N] ")
            except EOFError:
                return False
        return answer.strip().lower() in ("y", "yes")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a wait for input at once; asyncio would put it off until the loop goes round again."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
