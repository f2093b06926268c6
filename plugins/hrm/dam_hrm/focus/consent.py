"""
What the user allowed, and how to be sure that nobody asks twice.

An operation and its scope are names with dots, and either may be a pattern: ``*`` as the last part stands
for any part and all below it, elsewhere for exactly one part. An answer is given for what was asked, and holds
for all that this covers. Where several answers cover a request, one is overruled only by a more specific one,
that is one which it covers itself; of those that are left, a no wins.

Whom to ask is the business of the hook ``dam_hrm_ask_user``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from dam_hrm.focus.values import ConsentRequest

ANY: Final = "*"


def covers(wide: str, narrow: str) -> bool:
    """Tell whether a pattern stands for all that a name, or another pattern, stands for."""
    wides, narrows = wide.split("."), narrow.split(".")
    if wides[-1] == ANY:
        wides.pop()
        if len(narrows) <= len(wides):
            return False
    elif len(narrows) != len(wides):
        return False
    return all(one in (ANY, other) for one, other in zip(wides, narrows, strict=False))


def exactly(name: str) -> str:
    """Make a name out of text that is none of ours, so that a ``*`` in it stands for nothing else."""
    return ".".join("\\*" if part == ANY else part for part in name.split("."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer that was given."""

    request: ConsentRequest
    allowed: bool
    revoked: bool = False
    """It was a yes, and was taken back."""

    def covers(self, other: ConsentRequest) -> bool:
        """Tell whether it holds for a request, as far as nothing more specific was said."""
        return covers(self.request.operation, other.operation) and covers(self.request.scope, other.scope)

    @property
    def words(self) -> str:
        """Say it to the user."""
        if self.revoked:
            return f"consent to {self.request.summary} was revoked"
        return f"the user said {'yes' if self.allowed else 'no'} to {self.request.summary}"


class Consents:
    """The answers of a session. Takes no lock: `layer` does."""

    def __init__(self) -> None:
        self._given: dict[ConsentRequest, Given] = {}

    def known(self, request: ConsentRequest) -> Given | None:
        """Give the answer that holds for a request; `None` where there is none."""
        covering = [given for given in self._given.values() if given.covers(request)]
        left = [given for given in covering if not any(_overrules(other, given) for other in covering)]
        # The first that was given, where several say the same: it does not matter but for the words.
        return next((given for given in left if not given.allowed), left[0] if left else None)

    def keep(self, request: ConsentRequest, allowed: bool) -> None:
        """Keep an answer; a newer one to the same request takes the older one's place."""
        self._given[request] = Given(request=request, allowed=allowed)

    def revoke(self, request: ConsentRequest) -> None:
        """Take back every yes to what a request covers, and say no to it from now on."""
        revoked = Given(request=request, allowed=False, revoked=True)
        self._given = {key: given for key, given in self._given.items() if not revoked.covers(key)}
        self._given[request] = revoked


def _overrules(one: Given, other: Given) -> bool:
    return one is not other and other.covers(one.request)


_asking: ContextVar[frozenset[tuple[int, ConsentRequest]]] = ContextVar("dam_hrm_asking", default=frozenset())
"""What is being asked for by whoever called this code."""


class Questions:
    """
    Lets one question through at a time for each request: the others wait, in whatever task or thread they are.

    Who is asking already waits for nobody, so that two questions never wait for each other.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._open: dict[ConsentRequest, Future[None]] = {}

    @asynccontextmanager
    async def turn(self, request: ConsentRequest) -> AsyncIterator[bool]:
        """Wait for one's turn; False where it cannot be waited for: who asks would wait for itself."""
        outer = _asking.get()
        within = any(owner == id(self) for owner, _ in outer)
        mine = await self._come(request, waits=not within)
        if mine is None:
            yield False
            return
        _asking.set(outer | {(id(self), request)})
        try:
            yield True
        finally:
            _asking.set(outer)
            with self._mutex:
                del self._open[request]
            mine.set_result(None)

    async def _come(self, request: ConsentRequest, *, waits: bool) -> Future[None] | None:
        while True:
            with self._mutex:
                ahead = self._open.get(request)
                if ahead is None:
                    mine: Future[None] = Future()
                    mine.set_running_or_notify_cancel()  # one who waits and is cancelled does not cancel it
                    self._open[request] = mine
                    return mine
            if not waits:
                return None
            await asyncio.wrap_future(ahead)
