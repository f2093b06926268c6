"""Several patterns that say the same become the one that they have in common."""

from __future__ import annotations

import pytest
from dam_hrm import HookFailed, hookimpl
from dam_hrm.learning.generalizing import MAX_SOURCES, generalized, in_common
from dam_hrm.learning.patterns import MAX_EVIDENCE
from dam_hrm.learning.situations import code_of, fits
from dam_hrm.learning.values import Generalized, Pattern
from hypothesis import given
from hypothesis import strategies as st

X = {"a": 1, "b": "x", "c": True}
Y = {"a": 1, "b": "y", "c": True}


@pytest.mark.parametrize(
    ("whens", "expected"),
    [
        ([X, Y], {"a": 1, "c": True}),
        ([X, X], X),
        ([{"a": 0.3}, {"a": 0.35}], {"a": 0.3}),
        ([{"a": 1}, {"a": True}], {}),
        ([{"a": 1}, {}], {}),
        ([X, Y, {"a": 1}], {"a": 1}),
    ],
)
def test_conditions_in_common(pattern, whens, expected):
    assert in_common([pattern(when=when) for when in whens]) == expected


def test_the_one_rests_on_those_it_came_from(pattern):
    """As sure as the least sure, with all they had seen, and with their names as the newest evidence."""
    first = pattern("p", when=X, confidence=0.9, evidence=("s:1", "s:2"), hits=3, misses=1, last_turn=4)
    second = pattern("q", when=Y, confidence=0.7, evidence=("s:2", "s:3"), hits=2, last_turn=6, protected=True)
    when = {"a": 1, "c": True}

    made = Pattern(
        pattern_code=code_of("answer", when),
        when=when,
        then="answer",
        confidence=0.7,
        evidence=("s:1", "s:2", "s:3", "pattern:p", "pattern:q"),
        hits=5,
        misses=1,
        last_turn=6,
        source="generalized",
    )
    assert generalized([first, second]) == Generalized(
        from_patterns=("p", "q"), to_pattern=made.pattern_code, reason="in common: a=1, c=True", pattern=made
    )


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        ([], f"2 to {MAX_SOURCES} patterns become one, not 0"),
        ([{"when": X}], f"2 to {MAX_SOURCES} patterns become one, not 1"),
        ([{"when": X}] * 11, f"2 to {MAX_SOURCES} patterns become one, not 11"),
        ([{"when": X}, {"when": Y, "then": "ask"}], "they say different things: answer, ask"),
        ([{"when": {"a": 1}}, {"when": {"b": 1}}], "they have too little in common: 0 of 1 conditions"),
        ([{"when": {}}, {"when": {}}], "they have too little in common: 0 of 0 conditions"),
        ([{"when": {"a": 1}}, {"when": X}], "they have too little in common: 1 of 3 conditions"),
    ],
)
def test_with_too_little_in_common_there_is_none(pattern, cases, reason):
    codes = tuple(f"p{n}" for n in range(len(cases)))
    made = generalized([pattern(code, **fields) for code, fields in zip(codes, cases, strict=True)])

    assert made == Generalized(from_patterns=codes, to_pattern=None, reason=reason)
    assert made.outcome == "refused"


def test_half_in_common_is_enough(pattern):
    made = generalized([pattern("p", when={"a": 1}), pattern("q", when={"a": 1, "b": 2})])

    assert (made.outcome, made.pattern.when) == ("generalized", {"a": 1})


WHENS = st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, 2, 0.5, 0.55, "x", True]), min_size=1)


@given(st.lists(WHENS, min_size=2, max_size=4))
def test_what_fitted_one_of_them_fits_the_one(pattern, whens):
    """A general pattern says of less, and is never surer."""
    sources = [pattern(f"p{n}", when=when, evidence=("e",) * 30) for n, when in enumerate(whens)]
    made = generalized(sources)

    if made.pattern is not None:
        assert all(fits(made.pattern.when, source.when) for source in sources)
        assert made.pattern.evidence[-len(sources) :] == tuple(f"pattern:{each.pattern_code}" for each in sources)
        assert len(made.pattern.evidence) <= MAX_EVIDENCE


async def learned(session, pattern, **patterns):
    for code, fields in patterns.items():
        await session.learning.add(pattern(code, **fields))


def codes(session):
    return sorted(each.pattern_code for each in session.learning.patterns)


def test_the_one_stands_in_their_place(play, pattern):
    """Others stay, and so do protected ones."""

    async def work(session):
        await learned(
            session, pattern, p={"when": X}, q={"when": Y}, r={"when": {**X, "b": "z"}, "protected": True}, other={}
        )
        made = await session.learning.generalize(["p", "q", "r", "p"])
        return made.from_patterns, made.pattern == session.learning.find(made.to_pattern), codes(session)

    assert play(work) == (("p", "q", "r"), True, [code_of("answer", {"a": 1, "c": True}), "other", "r"])


def test_what_is_refused_changes_nothing(play, pattern):
    async def work(session):
        await learned(session, pattern, p={"when": {"a": 1}}, q={"when": {"b": 1}})
        before = session.learning.patterns
        made = await session.learning.generalize(["p", "q"])
        return made.pattern, session.learning.patterns == before

    assert play(work) == (None, True)


def test_one_that_says_it_all_already_takes_the_others_in(play, pattern):
    """It is the one, with their evidence."""
    when = {"a": 1, "c": True}
    general = code_of("answer", when)

    async def work(session):
        await learned(session, pattern, p={"when": X, "hits": 2}, **{general: {"when": when, "hits": 3}})
        made = await session.learning.generalize(["p", general])
        return codes(session), made.pattern.hits, made.pattern.evidence

    assert play(work) == ([general], 5, ("pattern:p", f"pattern:{general}"))


def test_one_that_is_known_beside_them_is_joined(play, pattern):
    """As `add` would do."""
    general = code_of("answer", {"a": 1, "c": True})

    async def work(session):
        fields = {"when": {"a": 1, "c": True}, "evidence": ("old",), "source": "me", "hits": 1}
        await learned(session, pattern, p={"when": X}, q={"when": Y}, **{general: fields})
        made = await session.learning.generalize(["p", "q"])
        return codes(session), made.pattern.evidence, made.pattern.source

    assert play(work) == ([general], ("old", "pattern:p", "pattern:q"), "me")


class Generalizer:
    """Answers with a pattern of its own making."""

    def __init__(self, code="one", to="one", meanwhile=None):
        self.code, self.to, self.meanwhile = code, to, meanwhile

    @hookimpl
    async def dam_hrm_learning_generalize(self, session, patterns):
        if self.meanwhile is not None:
            await self.meanwhile(session)
        one = Pattern(pattern_code=self.code, when={}, then="anything", confidence=1.0)
        return Generalized(from_patterns=("lies",), to_pattern=self.to, reason="why not", pattern=one)


def test_where_a_plugin_makes_the_one_its_sources_are_still_its_evidence(play, pattern):
    """It may see more in common than the plain rule does."""

    async def work(session):
        await learned(session, pattern, p={"when": {"a": 1}}, q={"when": {"b": 1}})
        made = await session.learning.generalize(["p", "q"])
        return codes(session), made.pattern.evidence

    assert play(work, Generalizer()) == (["one"], ("pattern:p", "pattern:q"))


def test_no_other_pattern_is_pushed_out(play, pattern):
    """Its code is its own."""

    async def work(session):
        await learned(session, pattern, p={}, q={}, one={"then": "else"})
        made = await session.learning.generalize(["p", "q"])
        return made.pattern, made.reason, codes(session)

    assert play(work, Generalizer()) == (None, "the code one belongs to another pattern", ["one", "p", "q"])


def test_nor_is_a_protected_one_that_it_came_from(play, pattern):
    async def work(session):
        await learned(session, pattern, p={}, one={"protected": True})
        made = await session.learning.generalize(["p", "one"])
        return made.pattern, session.learning.find("one").then, codes(session)

    assert play(work, Generalizer()) == (None, "answer", ["one", "p"])


def test_sources_that_change_meanwhile_are_not_replaced(play, pattern):
    """The one was made of something else."""

    async def forget(session):
        session.turns = 1000
        await session.learning.trim("p")

    async def work(session):
        await learned(session, pattern, p={}, q={})
        made = await session.learning.generalize(["p", "q"])
        return made.pattern, made.to_pattern, made.reason, codes(session)

    reason = "p was forgotten or changed in the meantime"
    assert play(work, Generalizer(meanwhile=forget)) == (None, None, reason, ["q"])


def test_a_plugin_that_contradicts_itself_is_named(play, pattern):
    async def work(session):
        await learned(session, pattern, p={}, q={})
        with pytest.raises(HookFailed, match="plugin Generalizer raised BadPattern: the one pattern is named two"):
            await session.learning.generalize(["p", "q"])
        return codes(session)

    assert play(work, Generalizer(to="two")) == ["p", "q"]
