"""An answer is made."""

from dataclasses import dataclass
from typing import Any

from locked_system.words import Depth


@dataclass
class Context:
    user_input: str
    stance: Any
    hrm_assessment: Any


@dataclass
class Result:
    response: str
    altitude_used: Depth


class Executor:
    def __init__(self, memory):
        self.memory = memory

    def execute(self, context):
        self.memory.record_interaction({"words": len(context.user_input.split())})
        if not context.user_input.strip():
            raise ValueError("there is nothing to answer")
        return Result(f"You said: {context.user_input}", context.hrm_assessment.recommended_altitude)
