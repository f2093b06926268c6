"""
The learning layer of a session: its patterns, and what becomes one.

An operation asks its hook and then applies what was decided, under the session's lock. No hook is asked while the
lock is held; what has happened to a pattern meanwhile is not lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dam_hrm.asking import HookFailed, ask
from dam_hrm.errors import UnknownName
from dam_hrm.learning import keeping
from dam_hrm.learning.counting import Count, Counts
from dam_hrm.learning.generalizing import with_sources
from dam_hrm.learning.patterns import Patterns, joined_evidence
from dam_hrm.learning.situations import plain
from dam_hrm.learning.values import Generalized, Loaded, Match, Pattern, Trimmed
from dam_hrm.memory.values import Address, Tier, Written
from dam_hrm.suspects import suspects

if TYPE_CHECKING:
    from dam_hrm.session import Session


class Learning:
    """A session's learning."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._patterns = Patterns()
        self._counts = Counts()
        self._kept: keeping.Kept | None = None
        """What was read; `None` until then."""

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Every pattern, in the order in which they were learned."""
        with self._session.lock:
            return self._patterns.all

    def find(self, pattern_code: str) -> Pattern | None:
        """Give the pattern of this code."""
        with self._session.lock:
            return self._patterns.find(pattern_code)

    async def match(self, situation: Mapping[str, Any]) -> Match:
        """
        Find the pattern that fits a situation best; it counts as used in this turn.

        Raises:
            BadPattern: The situation has what none can have.
            HookFailed: A plugin failed at it.
        """
        hook = self._session.hook.dam_hrm_learning_pattern_match
        found = await ask(hook, Match, session=self._session, situation=plain(situation))
        if found.pattern_code is not None:
            with self._session.lock:
                self._patterns.use(found.pattern_code, self._session.turns)
        return found

    async def add(self, pattern: Pattern) -> Pattern:
        """
        Learn a pattern, or more of one that is known by this code; gives it as it is kept.

        Raises:
            HookFailed: A plugin failed at it; nothing was learned.
        """
        hook = self._session.hook.dam_hrm_learning_pattern_add
        asked = replace(pattern, when=plain(pattern.when), evidence=joined_evidence(pattern.evidence))
        before = self.find(asked.pattern_code)
        kept = await ask(hook, Pattern, session=self._session, pattern=asked)
        _same_code(hook, asked.pattern_code, kept.pattern_code)
        with self._session.lock:
            return self._patterns.put(replace(kept, when=plain(kept.when)), before, self._session.turns)

    async def observe(
        self, situation: Mapping[str, Any], then: str, *, worked: bool, evidence: str = ""
    ) -> Pattern | None:
        """
        Learn from what was done in a situation.

        The patterns that fit and say so get surer by success, and less sure by failure. Where there is none, successes
        are counted: the third one becomes a pattern, through `add`.

        Args:
            situation: What it was like.
            then: What was done.
            worked: Whether that was right.
            evidence: Where this can be looked up; the session and its turn if empty.

        Returns:
            The best of the patterns that this speaks about, or the new one; `None` for none yet.

        Raises:
            BadPattern: The situation has what none can have.
            HookFailed: A plugin failed at learning the new one; the next success tries again.
        """
        session = self._session
        seen, handle = plain(situation), evidence or f"{session.name}:{session.turns}"
        with session.lock:
            known = self._patterns.experience(seen, then, worked=worked, evidence=handle, turn=session.turns)
            if known is not None:
                return known
            count = self._counts.observe(seen, then, worked=worked, evidence=handle)
        return None if count is None else await self._learn(count)

    async def _learn(self, count: Count) -> Pattern:
        try:
            return await self.add(count.as_pattern(self._session.turns))
        except BaseException:
            with self._session.lock:
                self._counts.keep(count)
            raise

    def protect(self, pattern_code: str, *, protected: bool = True) -> Pattern:
        """
        Keep a pattern from being trimmed, whatever a plugin says; or no longer.

        Raises:
            UnknownName: There is no such pattern.
        """
        with self._session.lock:
            return self._patterns.protect(self._known(pattern_code).pattern_code, protected)

    async def trim(self, pattern_code: str | None = None) -> list[Trimmed]:
        """
        Forget a pattern, if the rule says so; `None`: ask about every one that is not protected.

        Raises:
            UnknownName: There is no such pattern.
            HookFailed: A plugin failed at it; those before it are trimmed.
        """
        with self._session.lock:
            if pattern_code is not None:
                asked = [self._known(pattern_code)]
            else:
                asked = [pattern for pattern in self._patterns.all if not pattern.protected]
        return [await self._trim(pattern) for pattern in asked]

    async def _trim(self, pattern: Pattern) -> Trimmed:
        hook = self._session.hook.dam_hrm_learning_pattern_trim
        trimmed = await ask(hook, Trimmed, session=self._session, pattern=pattern)
        _same_code(hook, pattern.pattern_code, trimmed.pattern_code)
        if not trimmed.removed:
            return trimmed
        with self._session.lock:
            why_not = self._patterns.remove(pattern)
        return replace(trimmed, removed=False, reason=why_not) if why_not else trimmed

    async def generalize(self, codes: Iterable[str]) -> Generalized:
        """
        Make one pattern out of several, and put it in their place; protected ones stay beside it.

        What it came from is kept as its evidence. Where there is none, nothing changes.

        Raises:
            UnknownName: There is no such pattern.
            HookFailed: A plugin failed at it.
        """
        hook = self._session.hook.dam_hrm_learning_generalize
        with self._session.lock:
            sources = tuple(self._known(code) for code in dict.fromkeys(codes))
        made = await ask(hook, Generalized, session=self._session, patterns=sources)
        if made.pattern is None:
            return made
        asked = [source.pattern_code for source in sources]
        pattern = with_sources(replace(made.pattern, when=plain(made.pattern.when)), asked)
        with self._session.lock:
            why_not = self._patterns.exchange(sources, pattern, self._session.turns)
        if why_not:
            return replace(made, to_pattern=None, reason=why_not, pattern=None)
        return replace(made, pattern=self.find(pattern.pattern_code))

    async def save(self) -> Written:
        """
        Write everything learned to memory. What is there and was not loaded yet is loaded first, so nothing is lost.

        What a newer version wrote is not written over: the answer is a refusal then. Of two sessions that learn into
        one folder at a time, the one that saves last wins.

        Raises:
            HookFailed: Memory failed at it.
        """
        if self._kept is None:
            await self.load()
        kept = self._kept or keeping.Kept()
        if kept.foreign:
            address = Address(namespace=keeping.NAMESPACE, key=keeping.KEY)
            return Written(address=address, tier=Tier.WARM, allowed=False, reason=kept.foreign)
        with self._session.lock:
            record = keeping.to_json(self._patterns.all, self._counts.all, kept.set_aside)
        return await self._session.memory.write(keeping.NAMESPACE, keeping.KEY, record)

    async def load(self) -> Loaded:
        """
        Take in what earlier sessions learned; what this one has learned under the same codes stays.

        A pattern counts as used in the turn in which it is loaded.

        Raises:
            HookFailed: Memory failed at it.
        """
        found = await self._session.memory.read(keeping.NAMESPACE, keeping.KEY)
        kept = keeping.Kept() if found.tier is None else keeping.from_json(found.value)
        with self._session.lock:
            self._kept = kept
            taken = [self._patterns.restore(pattern, self._session.turns) for pattern in kept.patterns]
            for count in kept.counts:
                self._counts.keep(count)
        return Loaded(patterns=sum(taken), set_aside=kept.reasons)

    def _known(self, pattern_code: str) -> Pattern:
        pattern = self._patterns.find(pattern_code)
        if pattern is None:
            raise UnknownName("pattern", pattern_code, [each.pattern_code for each in self._patterns.all] or ["none"])
        return pattern


def _same_code(hook: Any, asked: str, answered: str) -> None:
    if answered != asked:
        raise HookFailed(hook.name, f"{suspects(hook)} answered about pattern {answered} when {asked} was asked about")
