"""Levels, as the_assist goes about them."""

from types import SimpleNamespace


class AltitudeGovernor:
    def __init__(self):
        self.context = SimpleNamespace(current_level="L3", grounded=False)

    def classify_request(self, text):
        return "derivative"

    def can_descend(self, from_level, to_level, text=""):
        self.classify_request(text)
        if self.context.grounded:
            return SimpleNamespace(allowed=True, reason="there is ground")
        return SimpleNamespace(allowed=False, reason="there is no ground")

    def record_transition(self, new_level, reason=""):
        self.context.current_level = new_level
