"""Identifiers of traits and of their implementations."""

from __future__ import annotations

import contextlib
import dataclasses
import keyword

import pytest
from dam_traits import InvalidIdentifier, TraitError, TraitIdentifier, TraitImplementationIdentifier
from hypothesis import given
from hypothesis import strategies as st

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))
traits = st.lists(names, min_size=1, max_size=4).map(".".join)
components = st.lists(names, min_size=1, max_size=4, unique=True)


@given(traits)
def test_a_trait_identifier_goes_to_text_and_back(text):
    """Text, identifier, text: nothing is lost."""
    identifier = TraitIdentifier.from_string(text)

    assert str(identifier) == text
    assert ".".join(identifier.parts) == text
    assert TraitIdentifier.from_string(str(identifier)) == identifier


@given(traits, components)
def test_an_implementation_identifier_goes_to_text_and_back(trait, names):
    """Identifier, text, identifier: nothing is lost."""
    identifier = TraitImplementationIdentifier(TraitIdentifier(trait), tuple(names))

    assert TraitImplementationIdentifier.from_string(str(identifier)) == identifier


@given(traits, components, st.randoms())
def test_the_same_components_in_any_order_are_the_same_identifier(trait, names, random):
    """Components are a set."""
    shuffled = random.sample(names, len(names))

    assert TraitImplementationIdentifier(TraitIdentifier(trait), tuple(shuffled)) == (
        TraitImplementationIdentifier.from_string(f"{trait}:{'+'.join(names)}")
    )


@given(st.text(max_size=20))
def test_any_text_is_an_identifier_or_a_clear_error(text):
    """Nothing but an identifier is accepted, and nothing but `InvalidIdentifier` is raised."""
    for kind in (TraitIdentifier, TraitImplementationIdentifier):
        with contextlib.suppress(InvalidIdentifier):
            identifier = kind.from_string(text)
            assert kind.from_string(str(identifier)) == identifier


def test_components_stand_in_name_order():
    """The seed's form, with several components."""
    identifier = TraitImplementationIdentifier.from_string("asset.operation:Size+ContentMimeTypeComponent")

    assert str(identifier) == "asset.operation:ContentMimeTypeComponent+Size"
    assert identifier.trait == TraitIdentifier.from_string("asset.operation")
    assert identifier.components == ("ContentMimeTypeComponent", "Size")


@pytest.mark.parametrize(
    "text", ["", ".", "asset.", ".asset", "asset..operation", "asset operation", "1asset", "a-b", "a:b", "a\n", "ä.b"]
)
def test_a_malformed_trait_identifier_is_refused(text):
    """The error shows the text and the form expected."""
    with pytest.raises(InvalidIdentifier, match=r"is not a trait identifier: .*such as asset\.operation") as caught:
        TraitIdentifier.from_string(text)

    assert caught.value.text == text


@pytest.mark.parametrize("text", ["", "a", "a:", ":B", "a:B:C", "a:B+", "a:+B", "a:B+B", "a:B C", "a.:B", "a:B\n"])
def test_a_malformed_implementation_identifier_is_refused(text):
    """Each of them is a `TraitError` and a `ValueError`."""
    with pytest.raises(TraitError) as caught:
        TraitImplementationIdentifier.from_string(text)

    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("value", [None, 3, b"a.b", ["a"]])
def test_what_is_not_text_is_refused(value):
    """A clear error, no `AttributeError`."""
    with pytest.raises(InvalidIdentifier):
        TraitIdentifier.from_string(value)
    with pytest.raises(InvalidIdentifier):
        TraitImplementationIdentifier.from_string(value)


def test_identifiers_are_frozen():
    """They are keys of tables."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        TraitIdentifier("a.b").text = "c"
