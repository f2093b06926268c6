"""
A session: one conversation's state, and the operations on it.

All state is on this object; two sessions share nothing but a memory's files, if they are given
the same folder. One may be used from many tasks and threads: an operation decides by hooks and
applies what was decided under the session's lock.
"""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import pluggy

from dam_hrm.altitude import Altitude
from dam_hrm.asking import ask
from dam_hrm.focus import Focus
from dam_hrm.learning import Learning
from dam_hrm.memory import Memory
from dam_hrm.plugin import plugin_manager
from dam_hrm.reasoning import Reasoning
from dam_hrm.turn import Turn

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
            name: For people; ``session-1`` and on if `None`.
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

    async def turn(self, text: str) -> Turn:
        """Take one input through all layers and give the reply."""
        return await ask(self.hook.dam_hrm_turn, Turn, session=self, text=text)

    async def aclose(self) -> None:
        """Close the session: what it learned is kept, and its memory is closed."""
        raise NotImplementedError  # helper "altitude" writes this

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
