"""Whatever is done to a session's learning, in whichever order, and whoever does it at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from dam_hrm import HookFailed, Session, UnknownName, hookimpl, plugin_manager
from dam_hrm.learning.patterns import MAX_EVIDENCE
from dam_hrm.learning.values import Generalized, Pattern, Trimmed
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

CODES = st.sampled_from(["p", "q", "r"])
SITUATIONS = st.fixed_dictionaries({"a": st.integers(1, 2)}, optional={"b": st.booleans()})
THENS = st.sampled_from(["answer", "ask"])


class Ruthless:
    """Trims all, replaces all, and says of every pattern that it is another one; now and then it breaks."""

    mood = "plain"

    @hookimpl
    def dam_hrm_learning_pattern_trim(self, pattern):
        if self.mood == "broken":
            raise RuntimeError("broken")
        if self.mood == "plain":
            return None
        return Trimmed(pattern_code=pattern.pattern_code, removed=True, reason="away")

    @hookimpl
    def dam_hrm_learning_pattern_add(self, pattern):
        if self.mood == "ruthless":
            return Pattern(pattern_code=pattern.pattern_code, when={}, then="nothing", confidence=0.0)
        return None

    @hookimpl
    def dam_hrm_learning_generalize(self, patterns):
        if self.mood != "ruthless":
            return None
        one = Pattern(pattern_code="p", when={}, then="nothing", confidence=1.0)
        return Generalized(from_patterns=(), to_pattern="p", reason="", pattern=one)


class Learned(RuleBasedStateMachine):
    """A session's learning against what it promises."""

    def __init__(self):
        super().__init__()
        self.plugin = Ruthless()
        self.session = Session(plugins=plugin_manager(self.plugin, installed=False))
        self.learning = self.session.learning
        self.runner = asyncio.Runner()
        self.protected = {}

    def teardown(self):
        self.runner.run(self.session.memory.close())
        self.runner.close()

    def do(self, operation):
        try:
            return self.runner.run(operation)
        except (UnknownName, HookFailed):
            return None

    @rule(mood=st.sampled_from(["plain", "ruthless", "broken"]))
    def plugin_is(self, mood):
        self.plugin.mood = mood

    @rule(turns=st.sampled_from([1, 10, 60]))
    def turns_pass(self, turns):
        self.session.turns += turns

    @rule(code=CODES, then=THENS, when=SITUATIONS, confidence=st.floats(0, 1), evidence=st.lists(st.text(max_size=1)))
    def add(self, code, then, when, confidence, evidence):
        self.do(
            self.learning.add(
                Pattern(pattern_code=code, when=when, then=then, confidence=confidence, evidence=tuple(evidence))
            )
        )

    @rule(situation=SITUATIONS, then=THENS, worked=st.booleans())
    def observe(self, situation, then, worked):
        before = {each.pattern_code: each for each in self.learning.patterns}
        best = self.do(self.learning.observe(situation, then, worked=worked))
        if best is not None and best.pattern_code in before:
            was = before[best.pattern_code].confidence
            assert best.confidence >= was if worked else best.confidence <= was

    @rule(situation=SITUATIONS)
    def match(self, situation):
        found = self.do(self.learning.match(situation))
        codes = {each.pattern_code for each in self.learning.patterns}
        assert found.pattern_code is None or found.pattern_code in codes

    @rule(code=CODES)
    def protect(self, code):
        if self.learning.find(code) is not None:
            self.protected[code] = self.learning.protect(code)

    @rule(code=CODES)
    def unprotect(self, code):
        if self.protected.pop(code, None) is not None:
            self.learning.protect(code, protected=False)

    @rule(code=st.none() | CODES)
    def trim(self, code):
        before = {each.pattern_code for each in self.learning.patterns}
        trimmed = self.do(self.learning.trim(code)) or []
        gone = before - {each.pattern_code for each in self.learning.patterns}
        assert {each.pattern_code for each in trimmed if each.removed} <= gone

    @rule(codes=st.lists(CODES, max_size=3))
    def generalize(self, codes):
        made = self.do(self.learning.generalize(codes))
        if made is not None and made.pattern is not None:
            assert {f"pattern:{code}" for code in codes} <= set(self.learning.find(made.to_pattern).evidence)

    @invariant()
    def protected_patterns_are_there_and_say_what_they_said(self):
        for code, was in self.protected.items():
            now = self.learning.find(code)
            assert (now.when, now.then, now.protected) == (was.when, was.then, True)

    @invariant()
    def evidence_is_bounded_and_confidence_a_share(self):
        for each in self.learning.patterns:
            assert len(each.evidence) <= MAX_EVIDENCE
            assert 0 <= each.confidence <= 1


TestLearned = Learned.TestCase
TestLearned.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


# -- at the same time


def test_what_is_learned_while_a_plugin_thinks_is_not_lost(play, pattern):
    """Its answer is about an earlier state, and is brought up to date."""

    class Slow:
        @hookimpl
        async def dam_hrm_learning_pattern_add(self, session, pattern):
            before = session.learning.find("p")
            await session.learning.observe({"a": 1}, "answer", worked=True, evidence="meanwhile")
            return replace(before, evidence=(*before.evidence, "slow"), hits=before.hits + 1)

    async def work(session):
        await session.learning.add(pattern("p", evidence=("first",), hits=1))
        session.plugins.register(Slow())
        kept = await session.learning.add(pattern("p"))
        return kept.hits, kept.evidence, round(kept.confidence, 3)

    assert play(work) == (3, ("meanwhile", "first", "slow"), 0.6)


def test_of_many_tasks_one_makes_the_pattern(play):
    """However many see the third success at once."""
    learned = []

    class Watch:
        @hookimpl(tryfirst=True)
        async def dam_hrm_learning_pattern_add(self, pattern):
            learned.append(pattern.pattern_code)
            await asyncio.sleep(0)
            return pattern

    async def work(session):
        outcomes = (session.learning.observe({"a": 1}, "answer", worked=True) for _ in range(3))
        return len([each for each in await asyncio.gather(*outcomes) if each is not None])

    assert play(work, Watch()) == 1
    assert len(learned) == 1


def test_threads_lose_no_experience(play, pattern):
    """Every outcome is counted."""

    async def work(session):
        await session.learning.add(pattern("p"))

        def observe(worked):
            async def many():
                for _ in range(50):
                    await session.learning.observe({"a": 1}, "answer", worked=worked)

            asyncio.run(many())

        await asyncio.gather(*(asyncio.to_thread(observe, worked) for worked in (True, False, True, False)))
        known = session.learning.find("p")
        return known.hits, known.misses

    assert play(work) == (100, 100)


def test_threads_lose_nothing_they_add(play, pattern):
    """Also to one code."""

    async def work(session):
        def add(name):
            async def many():
                for number in range(5):
                    await session.learning.add(pattern("p", evidence=(f"{name}{number}",), hits=1))

            asyncio.run(many())

        await asyncio.gather(*(asyncio.to_thread(add, name) for name in "abcd"))
        known = session.learning.find("p")
        return known.hits, sorted(known.evidence)

    assert play(work) == (20, sorted(f"{name}{number}" for name in "abcd" for number in range(5)))


HOOKS = [f"dam_hrm_learning_{name}" for name in ("pattern_match", "pattern_add", "pattern_trim", "generalize")]


def test_no_hook_is_asked_while_the_lock_is_held(play, pattern, lock_watch):
    watch = lock_watch(HOOKS)

    async def work(session):
        for _ in range(3):
            await session.learning.observe({"a": 1}, "answer", worked=True)
        await session.learning.add(pattern("p"))
        await session.learning.match({"a": 1})
        await session.learning.generalize([each.pattern_code for each in session.learning.patterns])
        await session.learning.trim()

    play(work, watch)

    assert watch.asked == set(HOOKS)
    assert watch.held == []
