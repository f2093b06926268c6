"""The traits that say how a system behaves when it runs."""

from __future__ import annotations

import dataclasses

import pytest
from dam_traits import (
    ExecutionCostTrait,
    InvalidTrait,
    IOBoundTrait,
    ResourceUsageTrait,
    Trait,
    TraitIdentifier,
)
from hypothesis import given
from hypothesis import strategies as st


def test_defaults_are_the_ones_of_the_design():
    """Amount 1, priority 100, no time."""
    assert ResourceUsageTrait("disk/read/nvme0") == ResourceUsageTrait(pool_path="disk/read/nvme0", amount=1)
    assert ExecutionCostTrait() == ExecutionCostTrait(priority=100, time_ms=0)
    assert IOBoundTrait() == IOBoundTrait()


@pytest.mark.parametrize("trait", [ResourceUsageTrait("cpu"), ExecutionCostTrait(), IOBoundTrait()])
def test_each_is_a_frozen_hashable_trait(trait):
    """A trait is a value."""
    assert isinstance(trait, Trait)
    assert trait in {trait}
    assert dataclasses.replace(trait) == trait
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
        trait.pool_path = "x"


def test_each_has_a_name_of_its_own():
    """The identifier is the class's."""
    classes = (ResourceUsageTrait, ExecutionCostTrait, IOBoundTrait)

    assert [str(each.identifier) for each in classes] == [
        "system.resource_usage",
        "system.execution_cost",
        "system.io_bound",
    ]


@given(st.lists(st.from_regex(r"[a-z0-9_.:\[\]-]{1,12}", fullmatch=True), min_size=1, max_size=4), st.integers(1))
def test_a_pool_path_is_kept_as_it_is(parts, amount):
    """Devices, peers and programs are all paths."""
    path = "/".join(parts)

    assert dataclasses.astuple(ResourceUsageTrait(path, amount)) == (path, amount)


@pytest.mark.parametrize(
    "path", ["", "/", "/disk", "disk/", "disk//read", "a\nb", "a\0", "\udc80", " a", "a/ b", None, 3]
)
def test_a_pool_path_that_names_nothing_is_refused(path):
    """The error says which argument, and what it must be."""
    with pytest.raises(InvalidTrait, match=r"ResourceUsageTrait\.pool_path is .*: it must be printable names"):
        ResourceUsageTrait(path)


@pytest.mark.parametrize("amount", [0, -1, 1.0, True, "1", None])
def test_an_amount_is_a_whole_number_of_at_least_one(amount):
    """`True` is no amount."""
    with pytest.raises(InvalidTrait, match=r"ResourceUsageTrait\.amount"):
        ResourceUsageTrait("cpu", amount)


@pytest.mark.parametrize("arguments", [{"priority": 1.5}, {"time_ms": -1}, {"time_ms": 2.5}, {"time_ms": True}])
def test_a_cost_is_whole_numbers(arguments):
    """Milliseconds are whole and not negative."""
    (name,) = arguments

    with pytest.raises(InvalidTrait, match=f"ExecutionCostTrait.{name}"):
        ExecutionCostTrait(**arguments)


@pytest.mark.parametrize("value", ["x" * 10_000, pytest.param(-(10**10_000), id="huge"), object()])
def test_an_error_is_short_whatever_was_given(value):
    """A huge value is not copied into the message."""
    with pytest.raises(InvalidTrait) as caught:
        ExecutionCostTrait(time_ms=value)

    assert len(str(caught.value)) < 250


def test_a_trait_of_ones_own():
    """A subclass is a frozen dataclass with an identifier; the seed's way of writing it works."""

    @dataclasses.dataclass(frozen=True)
    class GpuTrait(Trait):
        identifier: TraitIdentifier = TraitIdentifier.from_string("system.gpu")  # noqa: RUF009 - frozen
        description: str = "Needs a graphics card."
        memory_bytes: int = 0

    assert GpuTrait(memory_bytes=3).memory_bytes == 3
    assert GpuTrait.identifier == TraitIdentifier("system.gpu")


def test_an_identifier_that_is_none_is_refused_when_the_class_is_made():
    """The earliest moment."""
    with pytest.raises(InvalidTrait, match=r"Broken\.identifier is 'a\.b': it must be a TraitIdentifier"):
        type("Broken", (Trait,), {"identifier": "a.b"})
