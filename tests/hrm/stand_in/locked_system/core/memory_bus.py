"""Memory in tiers behind a write gate."""


class WriteGate:
    def evaluate(self, tier, signals):
        return signals >= 0.5


class MemoryBus:
    def __init__(self):
        self.write_gate = WriteGate()
        self.working, self.shared = {}, {}

    def write_working(self, problem_id, key, value):
        self.working[problem_id, key] = value
        return True

    def read_working(self, problem_id, key):
        return self.working.get((problem_id, key))

    def write_shared(self, key, value, source, signals):
        if not self.write_gate.evaluate("shared", signals):
            return False
        self.shared[key] = value
        return True

    def read_shared(self, key, version=None):
        return self.shared.get(key)

    def add_pattern(self, description, signals):
        return "pat_1" if self.write_gate.evaluate("semantic", signals) else None
