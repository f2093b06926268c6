"""
Lanes: lines of work, at most one active, each leased for some turns.

Only an active lane's lease runs. It has ended when no turn is left; the lane is then expired until it is
renewed, and goes on as a paused one. A completed lane's name, and an expired one's, may be opened anew.

Nothing here asks a hook or takes a lock: `layer` does, and calls these with the session's lock held.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from dam_hrm.focus.values import Lane, LaneSwitch, Stance

MAX_LANES: Final = 64
"""Lanes that are kept; beyond, those that ended longest ago are forgotten."""

OPEN: Final = frozenset({"active", "paused"})


class Lanes:
    """The lanes of a session."""

    def __init__(self) -> None:
        self._by_id: dict[str, Lane] = {}
        # The one that came to its status last stands last.

    @property
    def all(self) -> tuple[Lane, ...]:
        """Every lane that is kept; the one that changed its status last is the last."""
        return tuple(self._by_id.values())

    @property
    def active(self) -> Lane | None:
        """The lane in which work goes on."""
        return next((lane for lane in self._by_id.values() if lane.status == "active"), None)

    @property
    def paused(self) -> tuple[Lane, ...]:
        """The lanes that can go on; the one that was paused last is the last."""
        return tuple(lane for lane in self._by_id.values() if lane.status == "paused")

    def find(self, lane_id: str) -> Lane | None:
        """Give the lane of this name."""
        return self._by_id.get(lane_id)

    def refusal(self, switch: LaneSwitch) -> str:
        """Say why a switch cannot be made now, whatever is answered to it; empty where it can."""
        active = self.active
        if switch.from_lane != (active and active.lane_id):
            return f"the active lane is {_name(active)} by now"
        if switch.opens is not None:
            return self._refusal_to_open(switch.opens)
        if switch.to_lane is None:
            return "" if active else "no lane is active"
        return self._refusal_to_enter(switch.to_lane)

    def _refusal_to_open(self, lane: Lane) -> str:
        if not lane.lane_id.strip():
            return "a lane needs a name"
        if lane.turns_left < 1:
            return f"lane {lane.lane_id} needs a lease of one turn at least, not {lane.turns_left}"
        known = self._by_id.get(lane.lane_id)
        if known is not None and known.status in OPEN:
            return f"lane {lane.lane_id} is {known.status}: switch to it, or complete it first"
        if sum(each.status in OPEN for each in self._by_id.values()) >= MAX_LANES:
            return f"{MAX_LANES} lanes are open: complete one first"
        return ""

    def _refusal_to_enter(self, lane_id: str) -> str:
        lane = self._by_id.get(lane_id)
        if lane is None:
            return self._unknown(lane_id)
        if lane.status == "paused":
            return ""
        way_out = {"active": "", "expired": ": renew it", "completed": ": open it anew"}[lane.status]
        return f"lane {lane_id} is {lane.status}{way_out}"

    def apply(self, switch: LaneSwitch) -> Lane | None:
        """Make a switch that nothing speaks against; give the lane that is entered, as it was left."""
        active = self.active
        if active is not None:
            self._put(replace(active, status=switch.leaves_as, bookmark=switch.bookmark))
        if switch.to_lane is None:
            return None
        entered = switch.opens or self._by_id[switch.to_lane]
        self._put(replace(entered, status="active"))
        return entered

    def follow(self, stance: Stance) -> None:
        """Note that the active lane goes on in this stance."""
        if self.active is not None:
            self._put(replace(self.active, stance=stance))

    def tick(self) -> Lane | None:
        """Let a turn pass; give the lane whose lease ended with it."""
        active = self.active
        if active is None:
            return None
        left = replace(active, turns_left=active.turns_left - 1)
        if left.turns_left:
            self._put(left)
            return None
        ended = replace(left, status="expired")
        self._put(ended)
        return ended

    def renew(self, lane_id: str, turns: int) -> str:
        """Give a lane this many turns from now on; or say why not, and change nothing."""
        lane = self._by_id.get(lane_id)
        if lane is None:
            return self._unknown(lane_id)
        if turns < 1:
            return f"lane {lane_id} needs a lease of one turn at least, not {turns}"
        if lane.status == "completed":
            return f"lane {lane_id} is completed: open it anew"
        self._put(replace(lane, turns_left=turns, status="paused" if lane.status == "expired" else lane.status))
        return ""

    def _unknown(self, lane_id: str) -> str:
        known = [lane.lane_id for lane in self._by_id.values() if lane.status in OPEN]
        nearest = get_close_matches(lane_id, known, n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        return f"there is no lane {lane_id}: {hint}open are {', '.join(known) or 'none'}"

    def _put(self, lane: Lane) -> None:
        known = self._by_id.get(lane.lane_id)
        if known is not None and known.status != lane.status:
            del self._by_id[lane.lane_id]
        self._by_id[lane.lane_id] = lane
        ended = [each.lane_id for each in self._by_id.values() if each.status not in OPEN]
        for lane_id in ended[: max(len(self._by_id) - MAX_LANES, 0)]:
            del self._by_id[lane_id]


def _name(lane: Lane | None) -> str:
    return "none" if lane is None else lane.lane_id
