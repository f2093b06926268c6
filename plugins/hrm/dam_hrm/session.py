"""
A session: one conversation's state, and the operations on it.

All state is on this object; two sessions share nothing but a memory's files, if they are given
the same folder. One may be used from many tasks and threads: an operation decides by hooks and
applies what was decided under the session's lock. Turns are different: a turn builds on the one
before it, so two at the same time are put in order, first come, first served, wherever they come from.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pluggy

from dam_hrm.altitude import Altitude
from dam_hrm.asking import HookFailed, ask, tell
from dam_hrm.errors import SessionClosed
from dam_hrm.focus import Focus
from dam_hrm.learning import Learning
from dam_hrm.memory import Memory
from dam_hrm.order import Order
from dam_hrm.plugin import plugin_manager
from dam_hrm.reasoning import Reasoning
from dam_hrm.turn import Turn, broken_turn

HISTORY_TURNS: Final = 100
"""Turns that a session can look back at."""

CONVERSATION_CHARACTERS: Final = 100_000

_numbers = itertools.count(1)


class Session:
    """One conversation; an async context manager that closes it."""

    def __init__(
        self, *, folder: Path | None = None, plugins: pluggy.PluginManager | None = None, name: str | None = None
    ) -> None:
        """
        Begin one.

        Args:
            folder: Where memory keeps its warm and cold records; `None`: in a folder of its own that goes with it.
            plugins: What answers the hooks; the installed and the built-in plugins if `None`.
            name: ``session-1`` and on if `None`. A session goes on at the level where the last one of its name
                left off, where they are given the same folder.
        """
        self.name = name or f"session-{next(_numbers)}"
        self.plugins = plugin_manager() if plugins is None else plugins
        self.hook = self.plugins.hook
        self.lock = threading.RLock()
        """Held while what was decided is applied; never while a hook is asked."""
        self.turns = 0
        """Turns that have begun."""
        self.memory = Memory(self, folder)
        self.altitude = Altitude(self)
        self.focus = Focus(self)
        self.reasoning = Reasoning(self)
        self.learning = Learning(self)
        self._order = Order(f"a turn of {self.name}")
        self._history: deque[Turn] = deque(maxlen=HISTORY_TURNS)
        self._heard = ""
        self._closed = False

    async def turn(self, text: str) -> Turn:
        """
        Take one input through all layers and give the reply.

        A layer that fails gives a turn of status ``error`` whose `failure` says what failed; the session stays usable.

        Raises:
            SessionClosed: It was closed.
            WithinItself: It was asked for by something that the session's running turn waits for.
        """
        if not isinstance(text, str):
            raise TypeError(f"a turn needs a text, not {type(text).__name__}")
        async with self._order.turn():
            if self._closed:
                raise SessionClosed(self.name)
            with self.lock:
                self.turns += 1
                self._heard = text
            try:
                turn = await ask(self.hook.dam_hrm_turn, Turn, session=self, text=text)
            except HookFailed as error:
                turn = broken_turn(self.turns, text, error)
            with self.lock:
                self._history.append(turn)
                self._heard = ""
            return turn

    @property
    def history(self) -> tuple[Turn, ...]:
        """The turns that have ended, the newest last; the oldest ones are let go."""
        with self.lock:
            return tuple(self._history)

    @property
    def conversation(self) -> str:
        """What was said, turn by turn, up to the input that is being answered; the end of it where that is long."""
        with self.lock:
            said = [line for turn in self._history for line in (turn.text, turn.reply)]
            return "\n".join([*said, self._heard]).strip()[-CONVERSATION_CHARACTERS:]

    async def aclose(self) -> None:
        """
        Close the session once its running turn has ended: what it learned is kept, and its memory is closed.

        A second time it does nothing.

        Raises:
            HookFailed: A plugin failed on the way; everything is closed all the same. More than one: the first.
        """
        async with self._order.turn():
            if self._closed:
                return
            self._closed = True
            try:
                failures = await tell(self.hook.dam_hrm_closing, session=self)
                await self.learning.save()
            finally:
                await self.memory.close()
        if failures:
            raise failures[0]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
