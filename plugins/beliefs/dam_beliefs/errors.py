"""What dam_beliefs raises: one base, each error with its facts and the way out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from string import ascii_letters, digits
from typing import Final

_MANY: Final = 1_000
"""Names to compare with one by one; of more than that, what is nearly a name is looked up."""


class BeliefsError(Exception):
    """Base of all errors of dam_beliefs."""


def near(name: object, known: Iterable[object]) -> str:
    """Return a hint at names that are nearly `name`, or nothing."""
    names = {str(each) for each in known}
    if len(names) > _MANY:
        close = sorted(names.intersection(_one_slip(str(name))))[:3]
    else:
        close = get_close_matches(str(name), sorted(names), n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _one_slip(name: str) -> Iterator[str]:
    """Yield what may have been meant if one letter is wrong, missing, one too many, or in its neighbour's place."""
    letters = {*ascii_letters, *digits, *"_- ", *name}
    for place in range(len(name) + 1):
        before, after = name[:place], name[place:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]
        for letter in letters:
            yield before + letter + after
            yield before + letter + after[1:]


class UnknownLabel(BeliefsError, KeyError):
    """Nothing has this label."""

    def __init__(self, where: str, label: object, known: Collection[object], *, what: str = "belief") -> None:
        super().__init__(f"{where}: no {what} is called {label!r}{near(label, known)}")
        self.where, self.label = where, label

    def __str__(self) -> str:
        return str(self.args[0])


class UnknownBase(UnknownLabel):
    """A base that is neither an archetype nor a belief."""

    def __init__(self, where: str, label: object, known: Collection[object]) -> None:
        super().__init__(f"{where}, bases", label, known, what="archetype or prototype")


class CyclicBases(BeliefsError, ValueError):
    """Something would be its own base."""

    def __init__(self, labels: Iterable[str]) -> None:
        self.labels = tuple(labels)
        super().__init__(f"{' -> '.join(self.labels)}: bases go in a circle; take one of them out")


class LabelTaken(BeliefsError, ValueError):
    """Two things by one label."""

    def __init__(self, label: str, what: str) -> None:
        super().__init__(f"{label!r} is taken: {what} has that label; give another, or change that one")
        self.label = label


class UnknownTrait(BeliefsError, ValueError):
    """A trait that there is no traittype for, or that no archetype of the belief names."""

    def __init__(self, where: str, trait: str, why: str, known: Iterable[str]) -> None:
        super().__init__(f"{where}: {trait!r} {why}{near(trait, known)}")
        self.where, self.trait = where, trait


class WrongValue(BeliefsError, ValueError):
    """A value that its traittype does not take."""

    def __init__(self, where: str, trait: str, why: str) -> None:
        super().__init__(f"{where}: {trait} {why}")
        self.where, self.trait = where, trait


class CannotCompose(BeliefsError, TypeError):
    """Two values meet, of a type that cannot join them."""

    def __init__(self, where: str, trait: str, value_type: str, sources: Iterable[str]) -> None:
        self.sources = tuple(sources)
        super().__init__(
            f"{where}: {trait} comes from {' and '.join(self.sources)}, and {value_type} has no compose: "
            "give it one, or declare the traittype without composable"
        )
        self.where, self.trait = where, trait


class UnknownOperation(BeliefsError, ValueError):
    """An operation that the value's type does not know."""

    def __init__(self, where: str, trait: str, operation: str, source: str, known: Collection[str]) -> None:
        knows = f"knows {', '.join(sorted(known))}" if known else "knows no operations"
        super().__init__(
            f"{where}: {trait}.{operation} of {source}: a value of that type {knows}{near(operation, known)}"
        )
        self.where, self.trait, self.operation, self.source = where, trait, operation, source


class BadOperation(BeliefsError, ValueError):
    """What is given with an operation makes no sense to it."""

    def __init__(self, where: str, trait: str, operation: str, source: str, why: str) -> None:
        super().__init__(f"{where}: {trait}.{operation} of {source} {why}")
        self.where, self.trait, self.operation, self.source = where, trait, operation, source


class BadCondition(BeliefsError, ValueError):
    """A condition that cannot be read, or asks what cannot be compared."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"condition {text!r} {why}; it is written like: rank >= 5 and guild == 'smiths'")
        self.text = text


class UnknownFactory(BeliefsError, ValueError):
    """A ``_call`` that the value's type does not declare."""

    def __init__(self, where: str, trait: str, factory: object, known: Collection[str]) -> None:
        declares = f"declares {', '.join(sorted(known))}" if known else "makes no values by itself"
        super().__init__(f"{where}: {trait}: _call is {factory!r}, and the type {declares}")
        self.where, self.trait = where, trait


class CircularTrait(BeliefsError, ValueError):
    """To find a trait's value, the value itself is asked for."""

    def __init__(self, where: str, trait: str) -> None:
        super().__init__(f"{where}: {trait} depends on itself: a condition or a factory asks for it")
        self.where, self.trait = where, trait


class Locked(BeliefsError, TypeError):
    """Something that does not change any more was to be changed."""

    def __init__(self, what: str, way_out: str) -> None:
        super().__init__(f"{what} is locked: {way_out}")


class BadTick(BeliefsError, ValueError):
    """A tick that does not go with those that something is built on, or no tick at all."""

    def __init__(self, what: str, tick: object, base: int | None, why: str | None = None) -> None:
        if isinstance(tick, bool) or not isinstance(tick, int):
            why = "is no tick; give a whole number"
        why = why or f"is not after tick {base}, which it is built on; give a later one"
        super().__init__(f"{what}: tick {tick!r} {why}")
        self.tick, self.base = tick, base


class ForeignState(BeliefsError, ValueError):
    """A state in which the belief is not, or not yet."""


class NotValid(BeliefsError, ValueError):
    """A version of a belief that the state does not hold valid."""

    def __init__(self, belief: str, state: str, valid: str | None) -> None:
        now = f"there {valid} is valid: begin with that one" if valid else "it holds no belief about that subject"
        super().__init__(f"{belief} is not valid in {state}: {now}")


class BadWorld(BeliefsError, ValueError):
    """Plain data that is no world; says where."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where


class NotSavable(BeliefsError, TypeError):
    """A value that plain data cannot hold."""


class PluginBroken(BeliefsError, RuntimeError):
    """A plugin that does not load, or is none."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"plugin {name!r}: {why}")
        self.name = name
