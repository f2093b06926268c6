"""A value against its traittype: type, items, length, what is allowed; `None` is always allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING, Any

from dam_beliefs.errors import WrongValue
from dam_beliefs.keys import is_recipe
from dam_beliefs.value_types.base import Unfit

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.state_view import StateView
    from dam_beliefs.traittype import Traittype
    from dam_beliefs.world import World


def take(world: World, traittype: Traittype, value: Any, where: str, state: StateView | None) -> Any:
    """
    Return a value that was written as it is kept.

    Raises:
        WrongValue: The traittype does not allow it.
    """
    try:
        taken = world.value_type(traittype).take(value, world, state)
    except Unfit as error:
        raise WrongValue(where, traittype.label, str(error)) from error
    if is_recipe(taken):
        return taken
    if not traittype.composable:
        _check_length(traittype, taken, where)
    _check_allowed(traittype, taken, where)
    return taken


def check(traittype: Traittype, value: Any, where: str) -> None:
    """
    Look at a value that was composed or changed: each part was taken already, the whole was not.

    Raises:
        WrongValue: It is too long, too short, or has something in it that is not allowed.
    """
    if value is not None:
        _check_length(traittype, value, where)
        _check_allowed(traittype, value, where)


def check_whole(world: World, belief: Belief, written: Iterable[str]) -> None:
    """
    Look at what comes out of the traits that are written of a belief, together with what it inherits.

    Raises:
        WrongValue: A whole value is too long, too short, or has something in it that is not allowed.
        BeliefsError: There is none; as `Belief.get_trait`.
    """
    for trait in written:
        traittype = world.traittypes[trait]
        if traittype.has_limits and not world.value_type(traittype).makes:
            world.resolve(belief, trait)


def _check_length(traittype: Traittype, value: Any, where: str) -> None:
    if not isinstance(value, Sized) or (traittype.min_length is None and traittype.max_length is None):
        return
    length = len(value)
    if traittype.min_length is not None and length < traittype.min_length:
        raise WrongValue(where, traittype.label, f"has length {length}; at least {traittype.min_length} is asked for")
    if traittype.max_length is not None and length > traittype.max_length:
        raise WrongValue(where, traittype.label, f"has length {length}; at most {traittype.max_length} is allowed")


def _check_allowed(traittype: Traittype, value: Any, where: str) -> None:
    if traittype.values is None:
        return
    for each in value if traittype.container == "list" else (value,):
        if not any(_same(each, allowed) for allowed in traittype.values):
            allowed = ", ".join(repr(one) for one in traittype.values)
            raise WrongValue(where, traittype.label, f"is {each!r}; allowed are {allowed}")


def _same(value: Any, allowed: Any) -> bool:
    """Say whether they are equal, and both or neither of them a truth value: `True` is no 1."""
    return bool(value == allowed) and isinstance(value, bool) == isinstance(allowed, bool)
