"""An answer is judged."""

from types import SimpleNamespace


class ContinuousEvaluator:
    def evaluate(self, execution_result, user_input, commitment, progress):
        return SimpleNamespace(overall_health="healthy" if user_input in execution_result.response else "critical")
