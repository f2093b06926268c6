"""
Which gate leads from which stance to which.

Every stance can be reached from every other one by one gate, so a session is never stuck; sensemaking by
another one too, for emergencies. Whether a gate lets anybody through is not said here: `gates` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dam_hrm.focus.values import GateType, Stance, StanceChange

FIRST: Final = Stance.SENSEMAKING
"""The stance in which a session begins."""

LEADS_TO: Final[Mapping[GateType, frozenset[Stance]]] = {
    GateType.FRAMING: frozenset({Stance.SENSEMAKING, Stance.DISCOVERY}),
    GateType.COMMITMENT: frozenset({Stance.EXECUTION}),
    GateType.EVALUATION: frozenset({Stance.EVALUATION}),
    GateType.EMERGENCY: frozenset({Stance.SENSEMAKING}),
}
"""Where the gates lead, from any other stance. The gates that are not here guard something else than a stance."""

_USUAL: Final[Mapping[Stance, GateType]] = {
    Stance.SENSEMAKING: GateType.FRAMING,
    Stance.DISCOVERY: GateType.FRAMING,
    Stance.EXECUTION: GateType.COMMITMENT,
    Stance.EVALUATION: GateType.EVALUATION,
}


def gate_to(stance: Stance) -> GateType:
    """Give the gate that leads to a stance when nobody names another one; emergency has to be named."""
    return _USUAL[stance]


def refusal(change: StanceChange, stance: Stance) -> str:
    """Say why a change cannot be made in this stance, whatever its gate answers; empty where it can."""
    if change.from_stance != stance:
        return f"the stance is {stance.value} by now, no longer {change.from_stance.value}"
    if change.to_stance == stance:
        return f"the stance is {stance.value} already"
    if change.to_stance not in LEADS_TO.get(change.gate, frozenset()):
        usual = gate_to(change.to_stance).value
        return f"the {change.gate.value} gate does not lead to {change.to_stance.value}: {usual} does"
    return ""
