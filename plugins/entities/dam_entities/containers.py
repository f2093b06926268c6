"""
Lists, dicts and sets that tell the entity they belong to when they are changed.

They are lists, dicts and sets in every other respect. A container belongs to one entity: what is
put into an entity is taken over as such a container, with those inside it; one that belongs to
another entity already is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

from dam_entities.marks import Mark

CONTAINERS = (list, dict, set)


def held(value: Any, mark: Mark) -> Any:
    """Return `value` as it is kept in the entity with this mark: plain containers as those that tell."""
    kind = type(value)
    if kind in _KINDS:
        return value if getattr(value, "mark", None) is mark else _KINDS[kind](value, mark)
    if kind is tuple:
        items = tuple(held(item, mark) for item in value)
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


class HeldList(list[Any]):
    """A list in an entity."""

    __slots__ = ("mark",)

    def __init__(self, items: Iterable[Any], mark: Mark) -> None:
        super().__init__(held(item, mark) for item in items)
        self.mark = mark

    def append(self, item: Any) -> None:
        """As a list does."""
        self.mark.touch()
        super().append(held(item, self.mark))

    def insert(self, index: SupportsIndex, item: Any) -> None:
        """As a list does."""
        self.mark.touch()
        super().insert(index, held(item, self.mark))

    def extend(self, items: Iterable[Any]) -> None:
        """As a list does."""
        self.mark.touch()
        super().extend(held(item, self.mark) for item in items)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.mark.touch()
        if isinstance(index, slice):
            super().__setitem__(index, [held(item, self.mark) for item in value])
        else:
            super().__setitem__(index, held(value, self.mark))

    def __iadd__(self, items: Iterable[Any]) -> HeldList:  # type: ignore[misc]
        self.extend(items)
        return self

    def __imul__(self, times: SupportsIndex) -> HeldList:
        self[:] = list(self) * times
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return list, (list(self),)


class HeldDict(dict[Any, Any]):
    """A dict in an entity."""

    __slots__ = ("mark",)

    def __init__(self, items: dict[Any, Any], mark: Mark) -> None:
        super().__init__((held(key, mark), held(value, mark)) for key, value in items.items())
        self.mark = mark

    def __setitem__(self, key: Any, value: Any) -> None:
        self.mark.touch()
        super().__setitem__(key, held(value, self.mark))

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """As a dict does."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *others: Any, **named: Any) -> None:
        """As a dict does."""
        self.mark.touch()
        super().update({key: held(value, self.mark) for key, value in dict(*others, **named).items()})

    def __ior__(self, other: Any) -> HeldDict:  # type: ignore[misc]
        self.update(other)
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return dict, (dict(self),)


class HeldSet(set[Any]):
    """A set in an entity."""

    __slots__ = ("mark",)

    def __init__(self, items: Iterable[Any], mark: Mark) -> None:
        super().__init__(items)
        self.mark = mark

    def copy(self) -> set[Any]:
        """Return a plain set of the same items; `set` would make one of this kind that belongs to nobody."""
        return set(self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return set, (set(self),)


_KINDS: dict[type, Callable[[Any, Mark], Any]] = {
    list: HeldList,
    HeldList: HeldList,
    dict: HeldDict,
    HeldDict: HeldDict,
    set: HeldSet,
    HeldSet: HeldSet,
}

_TAKING_AWAY = {
    HeldList: ("__delitem__", "clear", "pop", "remove", "reverse", "sort"),
    HeldDict: ("__delitem__", "clear", "pop", "popitem"),
    # What is in a set can be hashed, so there is no container in it to take over.
    HeldSet: (
        "__iand__", "__ior__", "__isub__", "__ixor__", "add", "clear", "difference_update", "discard",
        "intersection_update", "pop", "remove", "symmetric_difference_update", "update",
    ),
}  # fmt: skip
"""Methods that change a container and put nothing into it that would have to be taken over."""


def _telling(plain: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        self.mark.touch()
        return plain(self, *arguments, **named)

    method.__name__, method.__qualname__, method.__doc__ = plain.__name__, plain.__qualname__, plain.__doc__
    return method


for _kind, _names in _TAKING_AWAY.items():
    for _name in _names:
        setattr(_kind, _name, _telling(getattr(_kind, _name)))
