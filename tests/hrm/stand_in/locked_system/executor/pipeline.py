"""Another generation's turn."""

from types import SimpleNamespace

from locked_system.front_door.signals import SignalDetector
from locked_system.tools.runtime import ToolRuntime


class Executor:
    def step(self, user_input, agent_id="front_door", emotional_signals=None):
        signal = SignalDetector().detect(user_input)
        tool = "fs.write" if signal.type == "formal_work" else "fs.read"
        called = ToolRuntime().invoke(SimpleNamespace(tool_id=tool), None)
        return SimpleNamespace(message="done" if called.ok else "not done")
