"""
The patterns of a session, what experience does to them, and who wins where two have one code.

Experience: where a pattern fits a situation and what it says was done, success brings its confidence nearer to 1
by `STRENGTHENED` of what is missing, and failure leaves `WEAKENED` of it. So failure weighs more, and a pattern
that fails again and again comes to be trimmed. Success of something else says nothing about a pattern.

A clash of codes: where both say the same, they are one pattern. Its conditions stay, its counts add up, the higher
confidence holds, and all evidence is kept, as far as there is room. Where they say different things, the one of
the higher confidence wins and the other is gone; the one that was there stays where they are equal. A protected
pattern always stays, with its conditions.

Nothing here asks a hook or takes a lock: `layer` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from dam_hrm.learning.matching import best
from dam_hrm.learning.situations import fits
from dam_hrm.learning.values import Pattern, Situation

MAX_EVIDENCE: Final = 20
"""Handles that a pattern keeps, the newest ones."""
MAX_EVIDENCE_CHARACTERS: Final = 200

STRENGTHENED: Final = 0.2
WEAKENED: Final = 0.7


def joined(known: Pattern | None, new: Pattern) -> Pattern:
    """Say what is kept under a code that two patterns have."""
    if known is None:
        return new
    if known.then == new.then:
        return replace(
            known,
            confidence=max(known.confidence, new.confidence),
            evidence=joined_evidence(known.evidence, new.evidence),
            protected=known.protected or new.protected,
            hits=known.hits + new.hits,
            misses=known.misses + new.misses,
            source=known.source or new.source,
        )
    return new if new.confidence > known.confidence and not known.protected else known


def joined_evidence(*evidence: Iterable[str]) -> tuple[str, ...]:
    """Put handles together: each once, where it came last, cut to a bound, and the newest of them."""
    newest_first: dict[str, None] = {}
    for handles in reversed(evidence):
        newest_first.update((handle[:MAX_EVIDENCE_CHARACTERS], None) for handle in reversed(tuple(handles)))
    return tuple(reversed(list(newest_first)[:MAX_EVIDENCE]))


class Patterns:
    """Patterns by their codes."""

    def __init__(self) -> None:
        self._by_code: dict[str, Pattern] = {}

    @property
    def all(self) -> tuple[Pattern, ...]:
        """Every pattern, in the order in which they were learned."""
        return tuple(self._by_code.values())

    def find(self, code: str) -> Pattern | None:
        """Give the pattern of this code."""
        return self._by_code.get(code)

    def put(self, pattern: Pattern, before: Pattern | None, turn: int) -> Pattern:
        """
        Keep a pattern; give it as it is kept.

        Args:
            pattern: What was decided.
            before: What was there when it was decided: what has happened to that since then is not lost.
            turn: The session's.
        """
        now = self._by_code.get(pattern.pattern_code)
        kept = pattern if now is before else _rebased(pattern, before, now)
        if now is not None and now.protected:
            kept = replace(kept, protected=True) if _says_the_same(now, kept) else now
        kept = replace(kept, evidence=joined_evidence(kept.evidence), last_turn=turn)
        self._by_code[kept.pattern_code] = kept
        return kept

    def restore(self, pattern: Pattern, turn: int) -> bool:
        """Take in a pattern from an earlier session; False where its code is taken: what was learned since stays."""
        if pattern.pattern_code in self._by_code:
            return False
        self._by_code[pattern.pattern_code] = replace(pattern, last_turn=turn)
        return True

    def use(self, code: str, turn: int) -> None:
        """Note that a pattern was matched; one that is not here is a plugin's own."""
        if code in self._by_code:
            self._by_code[code] = replace(self._by_code[code], last_turn=turn)

    def protect(self, code: str, protected: bool) -> Pattern:
        """Protect a pattern, or no longer."""
        self._by_code[code] = replace(self._by_code[code], protected=protected)
        return self._by_code[code]

    def experience(self, situation: Situation, then: str, *, worked: bool, evidence: str, turn: int) -> Pattern | None:
        """Tell every pattern that fits and says so what came of it; give the best of them, `None` for none."""
        concerned = [each for each in self._by_code.values() if each.then == then and fits(each.when, situation)]
        for each in concerned:
            self._by_code[each.pattern_code] = _experienced(each, worked=worked, evidence=evidence, turn=turn)
        first = best(concerned, situation)
        return self._by_code[first[0].pattern_code] if first else None

    def remove(self, pattern: Pattern) -> str:
        """Forget a pattern; or say why not, and keep it."""
        now = self._by_code.get(pattern.pattern_code)
        if now is None:
            return "it is forgotten already"
        if now.protected:
            return "it is protected"
        if now is not pattern:
            return "it was used or changed in the meantime"
        del self._by_code[pattern.pattern_code]
        return ""

    def exchange(self, sources: Sequence[Pattern], pattern: Pattern, turn: int) -> str:
        """Put one pattern in the place of several, of which protected ones stay; or say why not, and change nothing."""
        for source in sources:
            now = self._by_code.get(source.pattern_code)
            if now is None or not _says_the_same(now, source):
                return f"{source.pattern_code} was forgotten or changed in the meantime"
        known = self._by_code.get(pattern.pattern_code)
        is_source = any(source.pattern_code == pattern.pattern_code for source in sources)
        if known is not None and not _says_the_same(known, pattern) and (known.protected or not is_source):
            return f"the code {pattern.pattern_code} belongs to another pattern"
        for source in sources:
            if not self._by_code[source.pattern_code].protected:
                del self._by_code[source.pattern_code]
        here = self._by_code.get(pattern.pattern_code)
        self.put(pattern if is_source else joined(here, pattern), here, turn)
        return ""


def _says_the_same(one: Pattern, other: Pattern) -> bool:
    return one.then == other.then and one.when == other.when


def _experienced(pattern: Pattern, *, worked: bool, evidence: str, turn: int) -> Pattern:
    confidence = pattern.confidence
    return replace(
        pattern,
        confidence=confidence + (1 - confidence) * STRENGTHENED if worked else confidence * WEAKENED,
        evidence=joined_evidence(pattern.evidence, (evidence,)),
        hits=pattern.hits + worked,
        misses=pattern.misses + (not worked),
        last_turn=turn,
    )


def _rebased(decided: Pattern, before: Pattern | None, now: Pattern | None) -> Pattern:
    """Bring a decision that was made about `before` to bear on what is there by now."""
    if now is None:
        return decided
    if before is None or not (before.then == now.then == decided.then):
        return joined(now, decided)
    confidence = now.confidence + decided.confidence - before.confidence
    return replace(
        decided,
        confidence=min(max(confidence, 0.0), 1.0),
        evidence=joined_evidence(now.evidence, decided.evidence),
        protected=now.protected or decided.protected,
        hits=now.hits + max(decided.hits - before.hits, 0),
        misses=now.misses + max(decided.misses - before.misses, 0),
    )
