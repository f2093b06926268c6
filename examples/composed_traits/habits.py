"""Patterns of the learning layer that come with who somebody is, kept in beliefs; and what they learn on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dam_beliefs import Operation, State, Subject, World
from dam_hrm import Match, Pattern, Session, hookimpl, plugin_manager
from dam_hrm.learning.matching import match
from dam_hrm.learning.patterns import joined

PEOPLE = {
    "traittypes": {"patterns": {"type": "PatternBook", "composable": True}},
    "archetypes": {
        "EarlyRiser": {
            "traits": {
                "patterns": {
                    "_call": "create",
                    "book": {
                        "plan_at_dawn": {"when": {"signal": "plan"}, "then": "before seven", "confidence": 0.8},
                        "rest": {"when": {"signal": "rest"}, "then": "in bed by ten", "confidence": 0.6},
                    },
                }
            }
        },
        "Parent": {
            "traits": {
                "patterns": {
                    "_call": "create",
                    "book": {"rest": {"when": {"signal": "rest"}, "then": "when all others sleep", "confidence": 0.9}},
                }
            }
        },
    },
    "prototypes": {"ann": {"bases": ["EarlyRiser", "Parent"]}, "bob": {"bases": ["EarlyRiser"]}},
}


class PatternBook:
    """Patterns by code. Two with one code are joined as the learning layer joins them: the surer one wins."""

    OPERATIONS = ("append",)

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.by_code: dict[str, Pattern] = {}
        for each in patterns:
            self.by_code[each.pattern_code] = joined(self.by_code.get(each.pattern_code), each)

    @staticmethod
    def create(state: State, props: Mapping[str, Any], subject: Subject) -> PatternBook:
        """Read what an archetype says."""
        return PatternBook(pattern(code, said, subject.name) for code, said in props["book"].items())

    @staticmethod
    def compose(books: Sequence[PatternBook]) -> PatternBook:
        """Join what all kinds of person bring that somebody is."""
        return PatternBook(each for book in books for each in book.by_code.values())

    def state_data(self, state: State, operations: Sequence[Operation]) -> PatternBook:
        """Add what was learned."""
        learned = [pattern(code, said, each.source.name) for each in operations for code, said in each.value.items()]
        return PatternBook([*self.by_code.values(), *learned])

    def __repr__(self) -> str:
        return ", ".join(f"{code}: {each.then}" for code, each in self.by_code.items())


def pattern(code: str, said: Mapping[str, Any], source: str) -> Pattern:
    """Make a pattern of plain data."""
    return Pattern(
        pattern_code=code, when=said["when"], then=said["then"], confidence=said["confidence"], source=source
    )


class Habits:
    """A plugin of a session: matches what its person knows, and lets the person learn."""

    def __init__(self, people: World, person: Subject) -> None:
        self.people = people
        self.person = person

    @hookimpl
    def dam_hrm_learning_pattern_match(self, session: Session, situation: Mapping[str, Any]) -> Match:
        """Look among the person's patterns as well as the session's."""
        book: PatternBook = self.person.get_trait("patterns", self.people.state)
        both = PatternBook([*book.by_code.values(), *session.learning.patterns])
        return match(both.by_code.values(), situation)

    @hookimpl
    def dam_hrm_learning_pattern_add(self, pattern: Pattern) -> None:
        """Make it the person's from the next tick on; the session keeps it, too."""
        said = {"when": dict(pattern.when), "then": pattern.then, "confidence": pattern.confidence}
        state = self.people.mind.create_state(self.people.state.tick + 1)
        known = state.get_belief(self.person)
        if known is not None:
            known.with_traits(state, {"patterns.append": {pattern.pattern_code: said}})
        state.lock()


async def show() -> None:
    """Ask two people's sessions the same, before and after one of them has learned."""
    people = World.from_data(PEOPLE, classes=[PatternBook])
    people.state.lock()
    ann, bob = people.labels["ann"], people.labels["bob"]
    for person in (ann, bob):
        async with Session(name=person.name, plugins=plugin_manager(Habits(people, person))) as session:
            for signal in ("plan", "rest"):
                found = await session.learning.match({"signal": signal})
                print(f"{person.name}, {signal}: {found.then} ({found.confidence})")
            if person is ann:
                nap = Pattern(pattern_code="nap", when={"signal": "rest"}, then="nap at noon", confidence=0.95)
                await session.learning.add(nap)
                found = await session.learning.match({"signal": "rest"})
                print(f"{person.name}, rest, having learned: {found.then}; also {', '.join(found.also)}")

    print(f"what ann knew at first: {ann.get_trait('patterns', people.mind.state_at(0))}")
    known = people.state.get_belief(ann)
    print(known.explain_trait("patterns") if known is not None else "nothing is known of ann")
