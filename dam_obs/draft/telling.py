"""How a long work says how far it is: it calls a function with the share that is done, from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias, TypeVar

Tell: TypeAlias = Callable[[float], None]

Item = TypeVar("Item")


def nobody(done: float) -> None:
    """Be told, and do nothing."""


def parts(items: Collection[Item], tell: Tell) -> Iterator[tuple[Item, Tell]]:
    """Yield each item with what to tell of it, as if all took equally long; those that are done are told of."""
    share = 1 / max(1, len(items))
    for number, item in enumerate(items):
        yield item, _from(number * share, share, tell)
        tell((number + 1) * share)


def _from(start: float, share: float, tell: Tell) -> Tell:
    return lambda done: tell(start + done * share)
