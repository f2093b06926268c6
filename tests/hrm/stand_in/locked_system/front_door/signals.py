"""What an input calls for."""

from types import SimpleNamespace


class SignalDetector:
    def detect(self, user_input, emotional_signals=None):
        return SimpleNamespace(type="formal_work" if "write" in user_input else "none")
