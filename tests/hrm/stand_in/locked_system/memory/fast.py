"""What changes with every turn."""


class FastMemory:
    def record_interaction(self, signals):
        self.last = signals
