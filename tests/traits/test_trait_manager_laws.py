"""Discovery follows set inclusion, whatever is registered and unregistered in whichever order."""

from __future__ import annotations

from dam_traits import DuplicateIdentity, Trait, TraitIdentifier, TraitImplementation, TraitManager
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule


class A: ...


class B: ...


class C: ...


class ChildOfA(A): ...


class ChildOfB(B): ...


class ChildOfBoth(A, B): ...


CLASSES = (A, B, C, ChildOfA, ChildOfB, ChildOfBoth)


class First(Trait):
    identifier = TraitIdentifier.from_string("first")


class Second(Trait):
    identifier = TraitIdentifier.from_string("second")


class Managed(RuleBasedStateMachine):
    """A manager against a list of bindings."""

    registered = Bundle("registered")

    def __init__(self):
        super().__init__()
        self.manager = TraitManager()
        self.model = {}

    @rule(
        target=registered,
        trait=st.sampled_from([First, Second]),
        components=st.lists(st.sampled_from(CLASSES), min_size=1, max_size=3, unique=True).map(tuple),
    )
    def register(self, trait, components):
        """A binding that is there already is refused, in whichever order; any other one is taken."""
        implementation = TraitImplementation(trait, {}, f"i{len(self.model)}")
        key = (trait, frozenset(components))
        try:
            self.manager.register(implementation, components if len(components) > 1 else components[0])
        except DuplicateIdentity:
            assert key in self.model
        else:
            assert key not in self.model
            self.model[key] = implementation
        return key

    @rule(key=consumes(registered))
    def unregister(self, key):
        """What was registered comes back, the very object."""
        implementation = self.model.pop(key, None)
        if implementation is None:
            return
        (identifier,) = self.manager.identifiers_of(implementation)
        assert self.manager.unregister(identifier) is implementation

    @rule(present=st.sets(st.sampled_from(CLASSES)))
    def discover(self, present):
        """An entity has a trait if each bound class is among its components' classes and their bases."""
        bases = {base for each in present for base in each.__mro__}
        expected = [found for (_, components), found in self.model.items() if components <= bases]
        assert self.manager.get_implementations_for_components(present) == expected

    @invariant()
    def names_and_traits_are_those_registered(self):
        """Each is found by its identifier's text; a trait is known as long as something implements it."""
        assert list(map(self.manager.get_implementation_by_id, map(str, self.manager.identifiers()))) == list(
            self.model.values()
        )
        for trait in (First, Second):
            own = [found for (each, _), found in self.model.items() if each is trait]
            assert self.manager.get_implementations_for_trait(trait) == own
            assert self.manager.get_trait_by_id(trait.identifier) is (trait if own else None)


TestManaged = Managed.TestCase


@given(st.lists(st.sampled_from(CLASSES), min_size=1, unique=True).flatmap(lambda some: st.permutations(some)))
def test_any_order_of_components_is_one_identity(components):
    """The identifier depends on the set alone."""
    manager = TraitManager()
    identifier = manager.register(TraitImplementation(First, {}, "one"), tuple(components))

    assert str(identifier) == f"first:{'+'.join(sorted(each.__name__ for each in components))}"
    assert manager.components_of(identifier) == tuple(sorted(components, key=lambda each: each.__name__))
