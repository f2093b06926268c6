"""`Traittype`: what values a trait takes, and whether those of several bases are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from dam_beliefs.errors import BadWorld, near
from dam_beliefs.plain import frozen, thawed

Container = Literal["list"]
Own = Literal["compose", "replace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traittype:
    """What is true of a trait wherever it stands."""

    label: str
    type: str = "any"
    """``any``, ``str``, ``int``, ``float``, ``bool``, ``mapping``, ``Subject``, an archetype's label, ``Mind``, or the
    name of a class that the world was given."""
    container: Container | None = None
    """``list``: of values of that type."""
    composable: bool = False
    """Whether values of several bases are joined; else the nearest one shadows the others."""
    own: Own = "compose"
    """What a belief's own value does to what it inherits, where the trait is composable."""
    min_length: int | None = None
    """Of a list, or of a text."""
    max_length: int | None = None
    values: tuple[Any, ...] | None = None
    """All that are allowed; of a list, what may be in it."""

    @classmethod
    def from_data(cls, label: str, data: Any, where: str) -> Traittype:
        """
        Read a traittype as TOML and JSON have it: a table, or just the name of its type.

        Raises:
            BadWorld: It is none.
        """
        table = {"type": data} if isinstance(data, str) else data
        if not isinstance(table, Mapping):
            raise BadWorld(where, f"is {data!r}: write a table, or the name of a type")
        known = {field.name for field in fields(cls)} - {"label"}
        for key in table:
            if key not in known:
                raise BadWorld(where, f"has no key {key!r}{near(key, known)}; keys are {', '.join(sorted(known))}")
        made = cls(label=label, **{key: frozen(value) for key, value in table.items()})
        made.check(where)
        return made

    def check(self, where: str) -> None:
        """
        Look at whether it makes sense.

        Raises:
            BadWorld: A key has a value that it cannot have.
        """
        if not isinstance(self.label, str) or not self.label or "." in self.label:
            raise BadWorld(where, "a trait's label is a text, not empty, without a dot: an operation follows a dot")
        wrong = {
            "type": not isinstance(self.type, str) or not self.type,
            "container": self.container not in (None, *get_args(Container)),
            "composable": not isinstance(self.composable, bool),
            "own": self.own not in get_args(Own),
            "min_length": not _is_length(self.min_length),
            "max_length": not _is_length(self.max_length),
            "values": not isinstance(self.values, tuple | None),
        }
        for key, is_wrong in wrong.items():
            if is_wrong:
                raise BadWorld(f"{where}, {key}", f"cannot be {getattr(self, key)!r}")
        if None not in (self.min_length, self.max_length) and self.min_length > self.max_length:  # type: ignore[operator]
            raise BadWorld(f"{where}, min_length", f"{self.min_length} is more than max_length, {self.max_length}")

    @property
    def has_limits(self) -> bool:
        """Whether a value can be right in each part and wrong as a whole."""
        return not (self.min_length is None and self.max_length is None and self.values is None)

    def to_data(self) -> dict[str, Any]:
        """Return what `from_data` reads, without what is as it would be anyway."""
        kept = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "label"}
        default = Traittype(label=self.label)
        told = {key: value for key, value in kept.items() if value != getattr(default, key)}
        if self.values is not None:
            told["values"] = thawed(self.values)
        return told


def _is_length(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
