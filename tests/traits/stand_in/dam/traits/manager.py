"""Which traits there are for which components."""


class TraitManager:
    """Keeps implementations by component."""

    def __init__(self):
        self._by_component = {}

    def register(self, implementation, component_type):
        self._by_component.setdefault(component_type, []).append(implementation)

    def get_implementations_for_components(self, component_types):
        return [each for kind in component_types for each in self._by_component.get(kind, ())]
