"""What a mind knows that is made of several kinds, against the same worked out with plain sets."""

from __future__ import annotations

from typing import Any

from beliefs_story import PLACES, TRAITTYPES
from dam_beliefs import World
from hypothesis import given, settings
from hypothesis import strategies as st

LAW = settings(max_examples=40, deadline=None, derandomize=True)
TRAITS = ("name", "rank")

_told = st.dictionaries(st.sampled_from(PLACES), st.lists(st.sampled_from(TRAITS), unique=True), max_size=2)
_said = st.fixed_dictionaries(
    {},
    optional={
        "mind": st.none() | st.just({"_call": "create"}) | _told,
        "mind.append": _told,
        "mind.replace": _told,
        "mind.remove": st.lists(st.sampled_from(PLACES), unique=True),
    },
)

Known = dict[str, set[str]]


def worked_out(own: dict[str, Any], kinds: list[dict[str, Any]]) -> Known | None:
    """Return what is known of which place, if anybody says that there is a mind."""
    own_mind = own.get("mind", {})
    bases = [kind["mind"] for kind in kinds if kind.get("mind") is not None] if own_mind is not None else []
    if own_mind is not None and "mind" in own:
        bases.append(own_mind)
    if not bases:
        return None
    known: Known = {}
    for template in bases:
        for place, traits in template.items() if "_call" not in template else ():
            known.setdefault(place, set()).update(traits)
    counting = kinds if any("mind" in kind for kind in kinds) else []
    for said in reversed([own, *counting]):
        for key in [each for each in reversed(said) if each != "mind"]:
            for place in said[key]:
                if key == "mind.remove":
                    known.pop(place, None)
                elif key == "mind.append":
                    known.setdefault(place, set()).update(said[key][place])
                else:
                    known[place] = set(said[key][place])
    return known


@LAW
@given(_said, st.lists(_said, max_size=3))
def test_a_mind_knows_what_its_kinds_say(own: dict[str, Any], kinds: list[dict[str, Any]]):
    """Templates join, operations follow, the furthest first; own ones last: so the nearest has the last word."""
    world = World()
    for label, kind in TRAITTYPES.items():
        world.add_traittype(label, kind)
    world.add_archetype("Thing", names=TRAITTYPES)
    for place in PLACES:
        world.state.add_belief(label=place, bases=["Thing"], traits={"name": place, "rank": 1})
    bases = [world.add_archetype(f"K{number}", traits=kind) for number, kind in enumerate(kinds)]
    npc = world.state.add_belief(bases=[*bases, "Thing"], traits=own)
    mind = npc.get_trait("mind")
    world.state.lock()

    assert npc.get_trait("mind") is mind
    if mind is None:
        assert worked_out(own, kinds) is None
        return
    known = {
        belief.label: {trait for trait in TRAITS if belief.get_trait(trait) is not None}
        for belief in mind.state.get_beliefs()
    }
    assert known == worked_out(own, kinds)


@LAW
@given(_said, st.lists(_said, max_size=3))
def test_a_later_version_only_adds_its_own_operations(own: dict[str, Any], kinds: list[dict[str, Any]]):
    """What was done when the mind was made is not done again: a place that was forgotten since stays forgotten."""
    world = World()
    for label, kind in TRAITTYPES.items():
        world.add_traittype(label, kind)
    world.add_archetype("Thing", names=TRAITTYPES)
    for place in PLACES:
        world.state.add_belief(label=place, bases=["Thing"], traits={"name": place, "rank": 1})
    bases = [world.add_archetype(f"K{number}", traits=kind) for number, kind in enumerate(kinds)]
    npc = world.state.add_belief(bases=[*bases, "Thing"], traits=own)
    now = world.mind.create_state(10)
    later = npc.with_traits(now, {"mind.remove": list(PLACES)})
    silent = later.with_traits(world.mind.create_state(20), {"rank": 3})

    assert silent.get_trait("mind") is later.get_trait("mind") is npc.get_trait("mind")
    if silent.get_trait("mind") is not None:
        assert list(silent.get_trait("mind").state.get_beliefs()) == []
