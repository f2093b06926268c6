"""A turn, with everything in it."""

from types import SimpleNamespace

from locked_system.core.execution.continuous_eval import ContinuousEvaluator
from locked_system.core.execution.executor import Context, Executor
from locked_system.core.execution.hrm import HRM
from locked_system.core.governance.stance import StanceMachine
from locked_system.memory.consent import ConsentManager
from locked_system.memory.fast import FastMemory


class LockedLoop:
    def __init__(self):
        self.stance = StanceMachine()
        self.hrm = HRM()
        self.executor = Executor(FastMemory())
        self.evaluator = ContinuousEvaluator()
        self.consent = ConsentManager({"conversation"})

    def process(self, user_input):
        assessed = self.hrm.assess(user_input)
        answer = self.executor.execute(Context(user_input, self.stance.current, assessed))
        self.evaluator.evaluate(answer, user_input, None, None)
        self.consent.can_persist("conversation")
        return SimpleNamespace(response=answer.response)
