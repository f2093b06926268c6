"""Which actions there are, in which stances each may be done, and which of them write to memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dam_hrm.focus.values import Stance


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """What an action needs."""

    stances: tuple[Stance, ...]
    """In which it may be done; the first is the one to change to."""
    writes: str | None = None
    """The namespace that it writes to on the user's behalf, for which consent is asked."""


ANY: Final = tuple(Stance)
ABILITIES: Final = {
    "answer": Ability(stances=ANY),
    "recall": Ability(stances=ANY),
    "note": Ability(stances=ANY, writes="notes"),
    "halt": Ability(stances=ANY),
    "pause": Ability(stances=ANY),
    "switch": Ability(stances=ANY),
    "settle": Ability(stances=(Stance.SENSEMAKING, Stance.DISCOVERY)),
    "decide": Ability(stances=(Stance.DISCOVERY, Stance.EVALUATION)),
    "commit": Ability(stances=ANY),
    "review": Ability(stances=(Stance.EVALUATION,)),
}
"""The actions that the runtime brings."""

ABOUT_THE_SESSION: Final = frozenset({"halt", "pause", "switch", "review"})
"""Actions that are about the session itself, and so at home on every level: nobody has to move first to stop."""

OTHER: Final = Ability(stances=(Stance.EXECUTION,))
"""An action that a plugin brings."""


def ability_of(action_type: str) -> Ability:
    """Say what an action needs."""
    return ABILITIES.get(action_type, OTHER)


def stance_for(action_type: str, stance: Stance) -> Stance | None:
    """Give the stance to change to before an action can be done; `None` where the present one allows it."""
    stances = ability_of(action_type).stances
    return None if stance in stances else stances[0]


def refusal_of_stance(action_type: str, stance: Stance) -> str:
    """Say why a stance does not allow an action, and what would help; nothing where it does."""
    wanted = stance_for(action_type, stance)
    return f"{action_type} is not done in stance {stance.value}: change to {wanted.value}" if wanted else ""
