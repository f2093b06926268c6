"""Patterns, kept in the memory bus."""

from types import SimpleNamespace


class PatternStore:
    def __init__(self, memory_bus):
        self.memory_bus = memory_bus
        self.patterns = []

    def add_pattern(
        self, pattern_type, description, trigger_conditions, recommended_action, evidence_ids, confidence=0.5
    ):
        stored = self.memory_bus.add_pattern(description, signals=confidence)
        if stored is not None:
            self.patterns.append(SimpleNamespace(id=stored, description=description, when=trigger_conditions))
        return stored

    def match_patterns(self, context, min_score=0.3):
        fitting = [each for each in self.patterns if each.when.items() <= context.items()]
        return [SimpleNamespace(pattern=each, match_score=0.75) for each in fitting]
