"""What an input is like, and what is to be done about it."""

from types import SimpleNamespace

from locked_system.words import Gate


class InputClassifier:
    def classify(self, text, context=None):
        found = SimpleNamespace(complexity=Gate.FRAMING, domain=["general", "technical"], confidence=0.5)
        return SimpleNamespace(classification=found)


class ActionRouter:
    def __init__(self):
        self.classifier = InputClassifier()

    def route(self, text, current_stance, current_altitude="L2", context=None):
        found = self.classifier.classify(text, context).classification
        plan = SimpleNamespace(action_type="clarify", rationale=f"one of {len(found.domain)} domains")
        return SimpleNamespace(classification=found, action_plan=plan)
