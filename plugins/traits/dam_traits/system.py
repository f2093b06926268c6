"""
What a system is: some Python that runs for a command, an event or a stage, and how it is called.

`System` is what everything else knows of one; `@system` marks a function or a class as one,
and leaves it as it is. How its arguments are found is `injection`'s business, and which
systems a world has its registry's.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dam_traits.invocation import Invocation
    from dam_traits.trait import Trait

CalculateTraits = Callable[..., Awaitable["Sequence[Trait]"]]
"""``calculate_traits(cmd, world)``: async, the class bound already."""


class Kind(enum.Enum):
    """What calling a system gives."""

    FUNCTION = "a value"
    COROUTINE = "a coroutine"
    GENERATOR = "a generator"
    ASYNC_GENERATOR = "an async generator"


class RunIn(enum.StrEnum):
    """Where a system runs."""

    LOOP = "loop"
    """On the event loop: every coroutine and async generator; others only if they say so, since they block it."""
    THREAD = "thread"
    """In a thread of the executor, the context carried along: functions and generators, unless they say otherwise."""
    PROCESS = "process"
    """In another process: what computes. It gets only what can be pickled, so neither the world nor its entities."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class System:
    """One system of one world."""

    name: str
    """``package.module:Qualname``, unique in its world."""

    target: Any
    """The function or class that was registered, the very object."""

    call: Callable[..., Any]
    """What is called: the function, or the world's own instance of the class. Its code is looked up at each call."""

    kind: Kind

    run_in: RunIn

    command: type | None = None
    """Runs for commands of this class and of its subclasses."""

    event: type | None = None
    """Runs for events of this class and of its subclasses."""

    stage: str | None = None
    """Runs when this stage does."""

    calculate_traits: CalculateTraits | None = None

    bind: Callable[[Invocation], Mapping[str, Any]]
    """Finds the arguments of one call: the command and what is injected, by parameter name."""

    @property
    def version(self) -> str:
        """A short text that changes when the code does; made when first asked for, the same in every process."""
        from dam_traits.learning.version import version_of

        return version_of(self.target)
