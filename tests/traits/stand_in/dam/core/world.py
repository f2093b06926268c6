"""What a program sees."""

from dam.core.systems import WorldScheduler
from dam.traits.manager import TraitManager


class World:
    """Hands everything on to its scheduler."""

    def __init__(self):
        self.scheduler = WorldScheduler(self)
        self.trait_manager = TraitManager()

    def register_system(self, system_func):
        self.scheduler.register_system_for_world(system_func)

    def dispatch_command(self, command, parallel=False):
        return self.scheduler.dispatch_command(command, parallel)
