"""Whatever the package answers, the slow and plain re-statement of its rules answers, too."""

from __future__ import annotations

import pytest
from beliefs_random import Script, Stage, answer, model_answer, scripts
from hypothesis import given, settings


def the_package_answers_as_the_model_does(script: Script) -> None:
    """At each tick, open and locked, every version that ever was has the model's value of every trait."""
    stage = Stage(script)
    for _ in stage.play():
        for belief, node in stage.pairs:
            told = {trait: answer(belief, trait) for trait in script.used}
            assert told == {trait: model_answer(node, trait) for trait in script.used}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(scripts())
def test_the_package_answers_as_the_model_does(script: Script):
    """Small graphs, a few of them."""
    the_package_answers_as_the_model_does(script)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(scripts(archetypes=8, ticks=4, acts=8))
def test_the_package_answers_as_the_model_does_in_larger_worlds(script: Script):
    """Larger graphs, and many of them."""
    the_package_answers_as_the_model_does(script)
