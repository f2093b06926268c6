"""Laws of values: when they are asked for, how bases stand, what `None` and nothing do, what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from beliefs_random import LISTS, MODEL_TRAITS, PLACES, REFERENCES, Script, Stage, answer, plain, scripts
from dam_beliefs import MISSING, Belief, CannotCompose, World
from hypothesis import given, settings
from hypothesis import strategies as st

LAW = settings(max_examples=25, deadline=None, derandomize=True)


@LAW
@given(scripts())
def test_a_value_is_the_same_whenever_it_is_asked_for(script: Script):
    """While its state is open, once it is locked, at every later tick, and with that tick's state named."""
    stage = Stage(script)
    first: dict[tuple[int, str], Any] = {}
    for state in stage.play():
        for number, (belief, _) in enumerate(stage.pairs):
            for trait in script.used:
                told = answer(belief, trait)
                assert first.setdefault((number, trait), told) == told
                assert answer(belief, trait, state=state) == told


@LAW
@given(scripts())
def test_who_says_nothing_is_as_the_base(script: Script):
    """A belief with one base and nothing of its own: all that was composed at the base is composed at look-up alike."""
    stage = Stage(script)
    for state in stage.play():
        if not state.is_locked:
            for belief, _ in list(stage.pairs):
                heir = state.add_belief(bases=[belief])
                next_heir = state.add_belief(bases=[heir, belief])
                for trait in script.used:
                    assert answer(heir, trait) == answer(belief, trait)
                    assert answer(next_heir, trait) == answer(belief, trait)


@LAW
@given(scripts())
def test_a_version_that_changes_one_trait_keeps_the_others(script: Script):
    """Every other trait of the new version has the value that it had."""
    stage = Stage(script)
    for state in stage.play():
        if not state.is_locked:
            for subject, (belief, _) in list(stage.valid.items()):
                before = {trait: answer(belief, trait) for trait in script.used if trait != "rank"}
                changed = belief.with_traits(state, {"rank": answer(belief, "rank")})
                assert {trait: answer(changed, trait) for trait in before} == before
                state.put(subject, bases=[belief])
                stage.valid.pop(subject)


@LAW
@given(scripts())
def test_a_locked_belief_hands_on_the_very_object(script: Script):
    """Where nothing is joined or changed on the way, the value is the very object that stands at its source."""
    stage = Stage(script)
    for state in stage.play():
        if state.is_locked:
            continue
        for belief, _ in list(stage.pairs):
            for trait in script.used:
                if answer(belief, trait) is CannotCompose:
                    continue
                parts, operations, value = told(belief, trait)
                adding = [part for part in parts if part is not None and part != ()]
                if len(adding) == 1 and not operations:
                    assert value is adding[0]


def told(belief: Belief, trait: str) -> tuple[list[Any], list[Any], Any]:
    """Return what was contributed to a value, what was done to that, and the value."""
    resolved = belief.world.resolve(belief, trait)
    return [part.value for part in resolved.base.parts], list(resolved.operations), resolved.value


# -- lists of a few bases, in the open

lists = st.none() | st.lists(st.sampled_from("abcd"), max_size=3, unique=True)


def world_of(own: str = "compose") -> World:
    """Return a world with one composable list, one that shadows, and a text that cannot be joined."""
    return World.from_data(
        {
            "traittypes": {
                "xs": {"type": "str", "container": "list", "composable": True, "own": own},
                "ys": {"type": "str", "container": "list"},
                "text": {"type": "str", "composable": True},
            },
            "archetypes": {"Any": {"names": ["xs", "ys", "text"]}},
        }
    )


def bases_of(world: World, values: Sequence[Any], trait: str, of_beliefs: bool) -> list[Any]:
    """Return bases, each with one of the values."""
    made: list[Any] = []
    for number, value in enumerate(values):
        said = {} if value is MISSING else {trait: value}
        if of_beliefs:
            made.append(world.state.add_belief(bases=["Any"], traits=said))
        else:
            made.append(world.add_archetype(f"K{number}", traits=said))
    return made


maybe_lists = lists | st.just(MISSING)
some = st.lists(maybe_lists, max_size=4)


def joined(values: Sequence[Any]) -> Any:
    """Return what values make together: each item once, where it first came up."""
    said = [value for value in values if value is not None and value is not MISSING]
    return tuple(dict.fromkeys(item for value in said for item in value)) if said else None


@LAW
@given(some, st.booleans())
def test_composing_joins_from_left_to_right(values: list[Any], of_beliefs: bool):
    """Each item once, where it first came up; `None` and nothing add nothing; only empty lists make an empty one."""
    world = world_of()
    belief = world.state.add_belief(bases=[*bases_of(world, values, "xs", of_beliefs), "Any"])

    assert belief.get_trait("xs") == joined(values)


@LAW
@given(some, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_bases_is_the_order_of_items_and_nothing_more(values: list[Any], of_beliefs: bool, random: Any):
    """Bases in another order: the same items."""
    world = world_of()
    bases = bases_of(world, values, "xs", of_beliefs)
    one = world.state.add_belief(bases=[*bases, "Any"]).get_trait("xs")
    random.shuffle(bases)
    other = world.state.add_belief(bases=[*bases, "Any"]).get_trait("xs")

    assert (one is None) == (other is None)
    assert sorted(one or ()) == sorted(other or ())


@LAW
@given(some, lists, st.sampled_from(["compose", "replace"]), st.booleans())
def test_an_own_value_comes_after_what_is_inherited_or_alone(values: list[Any], own: Any, how: str, of_beliefs: bool):
    """An own `None` is the end, whatever is inherited; and it is inherited as such."""
    world = world_of(how)
    bases = bases_of(world, values, "xs", of_beliefs)
    belief = world.state.add_belief(bases=[*bases, "Any"], traits={"xs": own})
    alone = own if own is None else tuple(own)

    assert belief.get_trait("xs") == (joined([*values, own]) if how == "compose" and own is not None else alone)
    assert world.state.add_belief(bases=[belief]).get_trait("xs") == belief.get_trait("xs")
    assert "xs" in belief.get_own_traits()


@LAW
@given(some, lists, st.booleans())
def test_joining_again_changes_nothing(values: list[Any], own: Any, of_beliefs: bool):
    """A base listed next to what inherits from it, a value of one's own that was there already."""
    world = world_of()
    bases = bases_of(world, values, "xs", of_beliefs)
    belief = world.state.add_belief(bases=[*bases, "Any"])
    value = belief.get_trait("xs")

    assert world.state.add_belief(bases=[belief, *bases]).get_trait("xs") == value
    assert world.state.add_belief(bases=[belief, belief]).get_trait("xs") == value
    if value is not None:
        assert belief.with_traits(world.state, {"xs": list(value)}).get_trait("xs") == value


@LAW
@given(some, st.booleans())
def test_shadowing_takes_the_first_that_says_anything(values: list[Any], of_beliefs: bool):
    """Lists included, empty ones and `None`, too; a nearer level beats a further one on either side."""
    world = world_of()
    bases = bases_of(world, values, "ys", of_beliefs)
    said = [value for value in values if value is not MISSING]
    first = None if not said or said[0] is None else tuple(said[0])
    belief = world.state.add_belief(bases=[*bases, "Any"])
    far = world.add_archetype("Far", bases=[world.add_archetype("Further", traits={"ys": ["z"]})])

    assert belief.get_trait("ys") == first
    assert world.is_said(belief, "ys") == bool(said)
    assert world.state.add_belief(bases=[far, *bases, "Any"]).get_trait("ys") == (first if said else ("z",))


@LAW
@given(some, st.integers(1, 4), st.booleans())
def test_a_diamond_counts_its_top_once(values: list[Any], sides: int, of_beliefs: bool):
    """However many sides lead to the same bases; with one contribution, it is the very object."""
    world = world_of()
    top = bases_of(world, values, "xs", of_beliefs)
    bases = [world.state.add_belief(bases=[*top, "Any"]) for _ in range(sides)]
    bottom = world.state.add_belief(bases=bases)
    contributing = [value for value in values if value not in (None, MISSING, [])]

    assert bottom.get_trait("xs") == joined(values)
    if len(contributing) == 1:
        assert bottom.get_trait("xs") is bases[0].get_trait("xs")


@pytest.mark.parametrize("of_beliefs", [True, False], ids=["prototypes", "archetypes"])
@given(values=st.lists(st.sampled_from(["aye", "nay", None]), max_size=3))
@LAW
def test_what_cannot_be_joined_is_an_error_only_when_two_meet(values: list[Any], of_beliefs: bool):
    """Equal texts are one, be they one object or two, before and after a world was saved."""
    world = world_of()
    copies = [value if value is None else "".join(list(value)) for value in values]
    belief = world.state.add_belief(bases=[*bases_of(world, copies, "text", of_beliefs), "Any"])
    said = {value for value in values if value is not None}
    again = World.from_data(world.to_data()).subjects[belief.subject.number]

    for each in (belief, again.belief(again.world.state)):
        if len(said) > 1:
            with pytest.raises(CannotCompose):
                each.get_trait("text")
        else:
            assert each.get_trait("text") == (said.pop() if said else None) or not said
            said = {value for value in values if value is not None}


@LAW
@given(scripts())
def test_remembering_changes_no_answer(script: Script):
    """The same is done to two worlds, of which one forgets all values at once: the same answers, asked twice."""
    one, other = Stage(script), Stage(script, caching=False)
    for _ in zip(one.play(), other.play(), strict=True):
        for (belief, _node), (same, _same_node) in zip(one.pairs, other.pairs, strict=True):
            for trait in script.used:
                assert answer(belief, trait) == answer(same, trait) == answer(belief, trait)


@LAW
@given(scripts(traits=REFERENCES))
def test_reverse_look_up_finds_what_a_search_finds(script: Script):
    """At every tick so far, whatever came later: an inherited reference counts, another version's does not."""
    stage = Stage(script)
    states: list[Any] = []
    for state in stage.play():
        states = [*dict.fromkeys([*states, state])]
        for each in states:
            for trait in REFERENCES:
                for place in PLACES:
                    subject = stage.world.labels[place]
                    found = [belief for belief in each.get_beliefs() if place in as_list(belief.get_trait(trait))]
                    assert list(subject.rev_trait(trait, each)) == found


def as_list(value: Any) -> Sequence[Any]:
    """Return a value, or a list, as labels."""
    return plain(value) if isinstance(value, tuple) else (plain(value),)


@LAW
@given(scripts())
def test_a_saved_world_answers_alike(script: Script):
    """At each tick, open and locked, through JSON: it is equal, and every version that holds has the same values."""
    stage = Stage(script)
    for _state in stage.play():
        again = World.from_data(stage.world.to_data())
        assert again == stage.world
        for subject, (belief, _) in stage.valid.items():
            same = again.subjects[subject.number].belief(again.state)
            assert same.is_locked == belief.is_locked
            assert [answer(same, trait) for trait in script.used] == [answer(belief, trait) for trait in script.used]


@LAW
@given(scripts())
def test_what_is_told_of_a_value_adds_up_to_it(script: Script):
    """Contributions, joined, and operations on them, are the value; a shadowed trait has one contribution."""
    stage = Stage(script)
    for state in stage.play():
        for belief, _ in stage.pairs if state.is_locked else ():
            for trait in script.used:
                if answer(belief, trait) is CannotCompose:
                    continue
                parts, operations, value = told(belief, trait)
                assert belief.explain_trait(trait).value == value
                assert len(parts) <= 1 or MODEL_TRAITS[trait].composable
                if operations:
                    continue
                if trait in LISTS:
                    adding = [part for part in parts if part]
                    assert value == (adding[0] if len(adding) == 1 else joined(parts))
                else:
                    assert value == next((part for part in parts if part is not None), None)
