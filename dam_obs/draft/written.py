"""
A cost in a draft that was not made of the report's own model, and what is told of it wherever the draft goes.

It takes the place of the model's expression alone: all other traits stay as the evidence has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dam_obs.diagnose.report import InferredTrait, Prediction, SystemDiagnosis
from dam_obs.draft.costs import CostSource

COST: Final = "ExecutionCostTrait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Who wrote a cost, and how it did."""

    cost: CostSource
    author: str
    """As a person reads it; may be any text."""
    figures: Prediction
    """On executions that its author had not seen."""
    remarks: tuple[str, ...]
    """Sentences for whoever reviews it, the first says who wrote it; may hold any text."""


def with_cost_stated(system: SystemDiagnosis) -> SystemDiagnosis:
    """Return a system whose draft says what it costs, however sure the report is of its own model."""
    said = [each for each in system.traits if each.trait == COST]
    traits = [each for each in system.traits if each.trait != COST]
    priority = said[0].arguments if said else {}
    traits.append(InferredTrait(trait=COST, arguments=priority, confidence=1.0, evidence=[], rival=None))
    return system.model_copy(update={"traits": traits})
