"""
Tell from its words what an input calls for.

Plain rules: each type of signal has its cues, words that stand in the input as they are, whatever the case.
A cue after a word that denies it (``not urgent``) does not count. Of several types the first in `CUES` wins, for
an interruption must not wait; each further cue of it makes it stronger.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dam_hrm.focus.values import Signal

NONE: Final = "none"

CUES: Final[Mapping[str, tuple[str, ...]]] = {
    "interrupt": ("stop", "wait", "hold on", "pause", "cancel", "never mind", "interrupt"),
    "urgency": (
        "urgent", "urgently", "asap", "immediately", "right now", "emergency", "at once", "deadline", "overdue",
    ),
    "emotional": (
        "afraid", "angry", "anxious", "excited", "exhausted", "frustrated", "overwhelmed", "sad", "scared", "stressed",
        "upset", "worried",
    ),
    "completion": ("done", "finished", "completed", "complete", "shipped", "that's it", "all set", "wrapped up"),
    "formal_work": (
        "analyze", "build", "compare", "design", "draft", "fix", "implement", "organize", "plan", "prepare", "project",
        "report", "research", "review", "schedule", "test", "write",
    ),
}  # fmt: skip
"""The types that the built-in rules know, the ones that win first, and their cues."""

_DENIALS: Final = r"(?:not|no|never|isn't|aren't|wasn't|don't|didn't|doesn't|nothing|without|nowhere near|far from)"
_BETWEEN: Final = r"(?:\s+(?:a|an|the|at all|really|very|so|yet|that|being|to))*\s+"
MAX_CHARACTERS: Final = 10_000
"""Of an input, that are looked at."""


def signal_of(text: str) -> Signal:
    """Say what a text calls for."""
    looked_at = text[:MAX_CHARACTERS].lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for signal_type, pattern in _PATTERNS.items():
        cues = {found["cue"] for found in pattern.finditer(looked_at) if not found["denied"]}
        if cues:
            return Signal(signal_type=signal_type, text=text, strength=min(0.25 + 0.25 * len(cues), 1.0))
    return Signal(signal_type=NONE, text=text)


def _pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    either = "|".join(re.escape(cue) for cue in sorted(cues, key=len, reverse=True))
    return re.compile(rf"(?<![\w'])(?P<denied>{_DENIALS}{_BETWEEN})?(?P<cue>{either})(?![\w'])")


_PATTERNS: Final = {signal_type: _pattern(cues) for signal_type, cues in CUES.items()}
