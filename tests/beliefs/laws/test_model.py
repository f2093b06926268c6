"""Whatever the package answers, the slow and plain re-statement of its rules answers, too."""

from __future__ import annotations

from beliefs_random import Script, Stage, answer, model_answer, scripts
from hypothesis import given, settings


@settings(max_examples=150, deadline=None)
@given(scripts())
def test_the_package_answers_as_the_model_does(script: Script):
    """At each tick, open and locked, every version that ever was has the model's value of every trait."""
    stage = Stage(script)
    for _ in stage.play():
        for belief, node in stage.pairs:
            told = {trait: answer(belief, trait) for trait in script.used}
            assert told == {trait: model_answer(node, trait) for trait in script.used}
