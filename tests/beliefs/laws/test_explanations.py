"""An explanation tells what happened: its parts make the value, its operations are those that were applied."""

from __future__ import annotations

from typing import Any

import beliefs_model as model
from beliefs_model import ModelNode
from beliefs_random import LISTS, Script, Stage, scripts
from dam_beliefs import Belief, CannotCompose, Explanation
from hypothesis import example, given, settings

WHY_NOT = ("not applied: it takes", "not applied: there is no value", "not applied: the value is None")


UNHEARD = Script(
    used=("tags", "rank"),
    archetypes=(),
    ticks=(
        (
            ("new", (), {"tags.append": {"value": ["a"], "if": "rank >= 0"}}),
            ("new", (), {"tags": [], "tags.replace": ["b"]}),
            ("new", (0, 1), {}),
            ("new", (1, 0), {"tags.replace": ["c"]}),
        ),
    ),
)
"""Behind a `replace` there is an operation whose condition does not hold either."""


@settings(max_examples=50, deadline=None)
@given(scripts())
@example(UNHEARD)
def test_an_explanation_tells_what_happened(script: Script):
    """Of every version that ever was, at each tick, open and locked."""
    stage = Stage(script)
    for _ in stage.play():
        for belief, node in stage.pairs:
            for trait in script.used:
                check(belief, node, trait)


def check(belief: Belief, node: ModelNode, trait: str) -> None:
    """Hold an explanation against what the package resolved, and against the model's levels."""
    try:
        value = belief.get_trait(trait)
    except CannotCompose:
        return
    told = belief.explain_trait(trait)
    resolved = belief.world.resolve(belief, trait)
    operations = [each for each in told.below if each.what == "operation"]
    parts = [each for each in told.below if each.what in ("own", "inherited")]
    joined = [each for each in told.below if each.what == "joined"]

    assert told.value == value
    assert [(each.key, each.source) for each in operations if not each.note.startswith(WHY_NOT)] == [
        (each.key, each.source.name) for each in resolved.operations
    ]
    for line in lines(told):
        if line.level is not None:
            assert line.source in {each.name for each in model.levels(node)[line.level]}
    if joined:
        parts = list(joined[0].below)
    if trait in LISTS and resolved.found:
        assert items(parts) == tuple(dict.fromkeys(resolved.base.value or ()))


def items(parts: list[Explanation]) -> tuple[Any, ...]:
    """Return the items of all parts, each where it first came up."""
    return tuple(dict.fromkeys(item for part in parts for item in part.value or ()))


def lines(told: Explanation) -> list[Explanation]:
    """Return every line of a tree."""
    return [told, *(line for each in told.below for line in lines(each))]
