"""
`CallSite`: what is known of a place before anything runs there.

Made once, when a trace point is attached or a span is first asked for, so that nothing
about a place is looked up or formatted on the caller's thread again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from dam_obs.trace.layers import Layer, layer

COUNTER_BUDGET: Final = 0.004
"""Share of a system's running time that reading counters may cost."""

NAMING_BUDGET: Final = 0.005
"""Share that naming its waits may cost."""

NAMING_ALLOWANCE_NS: Final = 1_000_000
"""What it may cost beyond that, once: what runs seldom has all its waits named."""

LONGEST_PERIOD: Final = 256
"""Counters are read, and waits named, at least once in so many executions of it."""


class Pace:
    """
    Whether the costly counters are read, and waits named, for the next execution of what runs again and again.

    They are while that has cost no more than its share of all the running time so far, long
    executions paying for short ones; and once in a while whatever it costs.
    """

    __slots__ = ("_naming_ns", "_passed", "_passed_names", "_reading_ns", "_running_ns")

    def __init__(self) -> None:
        self._running_ns = 0
        self._reading_ns = 0
        self._naming_ns = 0
        self._passed = 0
        self._passed_names = 0

    def next_counts(self) -> bool:
        """Say whether counters are read for the next one."""
        if self._reading_ns <= COUNTER_BUDGET * self._running_ns or self._passed >= LONGEST_PERIOD:
            self._passed = 0
            return True
        self._passed += 1
        return False

    def next_names(self) -> bool:
        """Say whether the waits of the next one are named."""
        within = NAMING_ALLOWANCE_NS + NAMING_BUDGET * self._running_ns
        if self._naming_ns <= within or self._passed_names >= LONGEST_PERIOD:
            self._passed_names = 0
            return True
        self._passed_names += 1
        return False

    def took(self, running_ns: int, reading_ns: int, naming_ns: int = 0) -> None:
        """Note what an execution took, and what reading counters for it and naming its waits did."""
        self._running_ns += running_ns
        self._reading_ns += reading_ns
        self._naming_ns += naming_ns


class Standard:
    """What spans of a call site say under names that a convention gives, and their events do not."""

    __slots__ = ("constants", "read")

    def __init__(self, constants: Mapping[str, str | int | float | bool], read: frozenset[str]) -> None:
        self.constants = dict(constants)
        """The same on every span."""
        self.read = read
        """The names of those that a call sets on its span."""


class CallSite:
    """A place that spans come from."""

    __slots__ = (
        *("code", "component", "debug", "fold_below_ns", "layer", "name", "operation", "own_threads", "pace"),
        "standard",
    )

    def __init__(
        self,
        place: Layer,
        operation: str,
        component: str,
        *,
        debug: bool = False,
        code: Mapping[str, str | int] | None = None,
        own_threads: bool = False,
        fold_below_ns: int = 0,
        standard: Standard | None = None,
    ) -> None:
        self.layer = place
        self.operation = operation
        self.component = component
        self.name = f"{place.name}.{operation}"
        """The span's name: ``focus.gate_check``."""
        self.debug = debug
        """Only recorded at level ``debug``."""
        self.code = dict(code) if code else {}
        """``function``, ``file`` and ``line``."""
        self.own_threads = own_threads
        """In measured runs, what its work has threads do counts as its own."""
        self.fold_below_ns = fold_below_ns
        """Shorter spans are counted on the one around them; 0: none are."""
        self.standard = standard
        self.pace = Pace()
        """In measured runs, of what runs here; systems have their own."""


def site(
    layer_word: str,
    operation: str,
    component: str,
    *,
    level: str = "info",
    code: Mapping[str, str | int] | None = None,
    own_threads: bool = False,
    fold_below_ns: int = 0,
    standard: Standard | None = None,
) -> CallSite:
    """
    Make a call site.

    Args:
        layer_word: A layer's name or code.
        operation: Operation without its layer: ``gate_check``. With it (``focus.gate_check``), it is cut off.
        component: The file, class or system that emits.
        level: ``debug``, ``info`` or ``warn``.
        code: See `code_of`.
        own_threads: See `dam_obs.points.threads`.
        fold_below_ns: See `dam_obs.trace.folding`.
        standard: Attributes under a convention's names, if there are any.

    Raises:
        UnknownLayer: `layer_word` names no layer.
    """
    place = layer(layer_word)
    rest = operation.removeprefix(f"{place.name}.")
    return CallSite(
        place,
        rest,
        component,
        debug=level == "debug",
        code=code,
        own_threads=own_threads,
        fold_below_ns=fold_below_ns,
        standard=standard,
    )


def code_of(function: Callable[..., Any]) -> dict[str, str | int]:
    """Say where a function stands: ``function`` (``module:qualname``), ``file`` and ``line`` where known."""
    bare = inspect.unwrap(function)
    module = getattr(bare, "__module__", None) or "?"
    where: dict[str, str | int] = {"function": f"{module}:{getattr(bare, '__qualname__', type(bare).__qualname__)}"}
    code = getattr(bare, "__code__", None)
    if code is not None:
        where["file"] = code.co_filename
        where["line"] = code.co_firstlineno
    return where
