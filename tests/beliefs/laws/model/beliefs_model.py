"""
The rules of resolution once more, slow and plain: what a value has to be, to compare the package with.

Written from the rules alone. Nothing is remembered, nothing is shared, recursion is fine; made values (minds) are not
here. A list is a tuple, as the package keeps it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NOT_SET = object()


class CannotJoin(Exception):
    """Two values meet that have no way to be joined."""


@dataclass(eq=False)
class ModelNode:
    """An archetype or a belief."""

    name: str
    is_belief: bool
    bases: list[ModelNode]
    own: dict[str, Any]
    operations: dict[str, list[tuple[str, Any, tuple[str, int] | None]]] = field(default_factory=dict)
    """By trait: key, value, and the condition: a trait and what it must at least be."""


@dataclass(frozen=True)
class ModelTrait:
    """What a traittype says, as far as the rules ask."""

    composable: bool = False
    own: str = "compose"
    join: Callable[[list[Any]], Any] | None = None
    operate: Callable[[Any, list[tuple[str, Any]]], Any] | None = None


def levels(node: ModelNode) -> list[list[ModelNode]]:
    """Rule 1: the node, its bases left to right, theirs, and so on; each where it comes up first."""
    seen = [node]
    found = [[node]]
    while found[-1]:
        below: list[ModelNode] = []
        for each in found[-1]:
            for base in each.bases:
                if base not in seen:
                    seen.append(base)
                    below.append(base)
        found.append(below)
    return found[:-1]


def value(node: ModelNode, trait: str, traits: dict[str, ModelTrait]) -> Any:
    """Return what `get_trait` has to answer; `None` also where nobody says anything."""
    plain, sources = base_value(node, trait, traits)
    if plain is None or plain is NOT_SET:
        return None
    operations = gathered(node, trait, sources, traits)
    if not operations:
        return plain
    operate = traits[trait].operate
    assert operate is not None
    return operate(plain, operations)


def base_value(node: ModelNode, trait: str, traits: dict[str, ModelTrait]) -> tuple[Any, list[ModelNode]]:
    """Return the value before all operations, and the nodes that it is found on."""
    if traits[trait].composable:
        return composed(node, trait, traits[trait])
    for level in levels(node):
        for each in level:
            if trait in each.own:
                return each.own[trait], [each]
    return NOT_SET, []


def composed(node: ModelNode, trait: str, kind: ModelTrait) -> tuple[Any, list[ModelNode]]:
    """Rule 3, for the node that is asked; what a base that is a belief brings is found the same way."""
    own = node.own.get(trait, NOT_SET)
    if own is None:
        return None, [node]
    if own is not NOT_SET and kind.own == "replace":
        return own, [node]
    contributions: list[tuple[Any, list[ModelNode]]] = []
    for base in nearest_that_define(node, trait):
        if base.is_belief:
            contributions.append(composed(base, trait, kind))
        else:
            contributions.append((base.own[trait], [base]))
    if own is not NOT_SET:
        contributions.append((own, [node]))
    sources = [each for _, nodes in contributions for each in nodes]
    said = [each for each, _ in contributions if each is not None]
    if not said:
        return (None if contributions else NOT_SET), sources
    full = [each for each in said if each != ()]
    if not full:
        return (), sources
    if all(each is full[0] for each in full):
        return full[0], sources
    if kind.join is None:
        if all(each == full[0] for each in full):
            return full[0], sources
        raise CannotJoin(node.name)
    return kind.join(full), sources


def nearest_that_define(node: ModelNode, trait: str) -> list[ModelNode]:
    """Return the first nodes with a value of their own on every way down, level by level, left to right."""
    found: list[ModelNode] = []
    entered: list[ModelNode] = []
    level = node.bases
    while level:
        below: list[ModelNode] = []
        for each in level:
            if each in found or each in entered:
                continue
            if trait in each.own:
                found.append(each)
            else:
                entered.append(each)
                below.extend(each.bases)
        level = below
    return found


def gathered(
    node: ModelNode, trait: str, sources: list[ModelNode], traits: dict[str, ModelTrait]
) -> list[tuple[str, Any]]:
    """Rule 4: operations nearest first, down to the whole level of the furthest node that the value is found on."""
    ways_down = levels(node)
    furthest = max(number for number, level in enumerate(ways_down) if any(each in sources for each in level))
    operations: list[tuple[str, Any]] = []
    for level in ways_down[: furthest + 1]:
        for each in level:
            for key, given, condition in each.operations.get(trait, []):
                if condition is not None:
                    asked, least = condition
                    answer = value(node, asked, traits)
                    if answer is None or answer < least:
                        continue
                operations.append((key, given))
    return operations


def each_once(values: list[Any]) -> tuple[Any, ...]:
    """Return each value where it first came up."""
    kept: list[Any] = []
    for each in values:
        if each not in kept:
            kept.append(each)
    return tuple(kept)


def join_lists(lists: list[Any]) -> tuple[Any, ...]:
    """Return all items of all lists, each once."""
    return each_once([item for each in lists for item in each])


def operate_on_list(items: Any, operations: list[tuple[str, Any]]) -> tuple[Any, ...]:
    """Of each item the nearest operation that names it decides; what lies behind a ``replace`` is not heard."""
    heard: list[tuple[str, Any]] = []
    for key, given in operations:
        if key == "replace":
            items = given
            break
        heard.append((key, given))

    def verdict(item: Any) -> str | None:
        return next((key for key, given in heard if item in given), None)

    kept = [item for item in items if verdict(item) != "remove"]
    added = [item for _, given in heard for item in given if verdict(item) == "append"]
    return each_once([*kept, *added])


def operate_on_mapping(mapping: Any, operations: list[tuple[str, Any]]) -> dict[str, Any]:
    """The furthest is done first, so that the nearest has the last word; mappings here are flat."""
    done = dict(mapping)
    for key, given in reversed(operations):
        if key == "remove":
            done = {name: each for name, each in done.items() if name not in given}
        else:
            done = {**done, **given}
    return done
