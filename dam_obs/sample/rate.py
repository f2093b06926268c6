"""
How often the sampler is to look: as often as asked for, within a declared share of one CPU.

The share is an account: it fills by the budget, up to what the budget gives in a minute, and what
the sampler takes is drawn from it. It begins full, so a short run is looked at as often as asked
for; in a long one the sampler takes the budget and at most that minute more.

The rate goes up at once when an idle program wakes up. It goes down in steps: while the program is
idle, when the account is empty, and when the sampler says that it is behind. Each change costs a
new sampler and a moment unseen, so there is room between the bounds at which it goes down and up,
and a program that keeps waking up is waited for longer and longer.

Part of the cost does not go down with the rate: the sampler searches the whole machine for new
processes. Where there is but one to sample, that search is the first thing to be dropped. Where it is
needed and takes the budget by itself, only the looks are held within the budget: to look less
often would cost much and save nothing.

Nothing here knows a clock, a process or a sampler: `Pace` is told, and answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Final

START: Final = "start"
"""Why the first rate is what it is."""

BUDGET: Final = 0.02
"""Share of one CPU that the sampler may take, unless another is declared."""

SAVED_S: Final = 60.0
"""The budget of so many seconds may be saved up, and is there at the beginning."""

IDLE_HZ: Final = 10.0
"""An idle program is looked at so often at least, if it may be."""

LOWEST_HZ: Final = 2.0
"""Not less often, if so often may be: the sampler hears only at its next look that it is to end."""

IDLE_AFTER_S: Final = 10.0
"""Without activity for so long, a program is idle; each further step down takes as long again."""

LONGEST_PATIENCE_S: Final = 320.0
"""What `IDLE_AFTER_S` may grow to for a program that keeps waking up."""

CALM_S: Final = 600.0
"""Without a change for so long, the patience is what it was at first."""

STAY_S: Final = 10.0
"""A rate is kept for so long before it is changed for the budget's sake: it has to be seen what it costs."""

SETTLED_S: Final = 1.0
"""What a sampler takes before that is for its beginning, and says nothing of its rate."""

RISE_AFTER_S: Final = 30.0
"""A rate is kept for so long before it goes up because the budget allows more."""

ALONE_AFTER_S: Final = 30.0
"""Without another process for so long, the search for more may be dropped; twice as long after each that came."""

SAME: Final = 1.1
"""Costs that differ by less are about the same."""

LARGEST_DROP: Final = 4.0
"""The rate falls to a quarter at most while it is not known how much of the cost goes down with it."""

ROOM: Final = 0.85
"""Of the budget, a changed rate is meant to take so much at most."""

PARDON_S: Final = 60.0
"""A sampler that was behind is tried at a higher rate after so long, and after twice as long each further time."""

LONGEST_PARDON_S: Final = 960.0

MOST_CHANGES: Final = 200
"""Changes that are kept; further ones are made all the same."""

_MEMORY_S: Final = 10.0
"""Time constant of the average of what the sampler takes."""

_EXACT: Final = 10
_TOLERANCE: Final = 0.03
_STEP: Final = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is told since the last time."""

    wall_s: float
    """Time since then."""
    sampler_cpu_s: float
    """CPU time that samplers took in it, with what they take to begin and to end."""
    late: int = 0
    """Times that the sampler said that it is behind."""
    active: bool = True
    """Whether the observed program did something."""
    alone: bool = False
    """Whether there is but one process to sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The rate was changed."""

    at_s: float
    """Since the beginning."""
    from_hz: float
    to_hz: float
    why: str


def ladder(most_hz: float) -> dict[float, int]:
    """
    Return the rates to choose from, the highest first, and how many looks at the highest one of each stands for.

    These are whole numbers, so samples of different rates add up without rounding. Where `most_hz` has few
    divisors, rates that are off by 3 % at most are taken as well.
    """
    most = max(1, round(most_hz))
    tolerance = 0.0 if most % _EXACT == 0 else _TOLERANCE
    steps: dict[float, int] = {float(most): 1}
    lowest = float(most)
    for stands_for in range(2, most + 1):
        rate = float(round(most / stands_for))
        fits = abs(rate * stands_for - most) <= tolerance * most
        if fits and LOWEST_HZ <= rate <= lowest / _STEP:
            steps[rate] = stands_for
            lowest = rate
    return steps


class Pace:
    """Says how often to look."""

    def __init__(self, most_hz: float, budget: float = BUDGET) -> None:
        """
        Begin with the highest rate and a full account.

        Args:
            most_hz: Looks a second that were asked for.
            budget: Share of one CPU that the sampler may take; 0.02 is 2 %.
        """
        self.stands_for = ladder(most_hz)
        """By rate, how many looks at the highest rate one look stands for."""
        self.rate_hz = next(iter(self.stands_for))
        """The rate to have now."""
        self.why = START
        """Why it is that."""
        self.changes: list[Change] = []
        """The first ones; see `MOST_CHANGES`."""
        self.searching = True
        """Whether the sampler is to search for more processes."""
        self.budget = budget
        self.taken_s = 0.0
        """CPU time that samplers took so far."""
        self._rates = list(self.stands_for)
        self._most_hz = self._rates[0]
        self._account_s = self._full_s = budget * SAVED_S
        self._now_s = 0.0
        self._since_s = 0.0
        """When the rate was last changed."""
        self._cost = _Cost()
        self._known: tuple[float, float] | None = None
        """The rate before this one, and what the sampler took at it."""
        self._alone_s = 0.0
        self._alone_after_s = ALONE_AFTER_S
        self._affordable_hz = self._most_hz
        self._keeps_up_hz = self._most_hz
        self._late_at_s = 0.0
        self._pardon_s = PARDON_S / 2
        self._active_at_s = 0.0
        self._lowered_at_s = 0.0
        self._idle_hz = self._most_hz
        self._patience_s = IDLE_AFTER_S

    def look(self, seen: Look) -> float:
        """Take in what was seen, and return the rate to have now."""
        self._now_s += seen.wall_s
        self.taken_s += seen.sampler_cpu_s
        self._draw(seen)
        if seen.active:
            self._active_at_s = self._now_s
        if self._now_s - self._since_s >= CALM_S:
            self._patience_s = IDLE_AFTER_S
        self._note_company(seen)
        why = self._behind(seen) or self._woken(seen) or self._too_dear() or self._idle() or self._room_for_more()
        allowed = min(self._affordable_hz, self._keeps_up_hz, self._idle_hz)
        if allowed != self.rate_hz:
            self._change(allowed, why or "allowed again")
        return self.rate_hz

    # -- the account

    def _draw(self, seen: Look) -> None:
        earned = self.budget * seen.wall_s
        # A debt has a bound, too: what one bad minute took is not to be paid for in an hour.
        self._account_s = max(-self._full_s, min(self._full_s, self._account_s + earned - seen.sampler_cpu_s))
        if self._stayed_s > SETTLED_S:
            self._cost.add(seen)

    # -- reasons for a change; each says in words why it has moved a bound, or nothing

    def _behind(self, seen: Look) -> str | None:
        if not seen.late or self._stayed_s <= SETTLED_S:
            return None
        lower = self._at_most(self.rate_hz / 2)
        if lower >= self.rate_hz:
            return None
        self._keeps_up_hz = lower
        self._late_at_s = self._now_s
        self._pardon_s = min(self._pardon_s * 2, LONGEST_PARDON_S)
        return "the sampler was behind"

    def _woken(self, seen: Look) -> str | None:
        if not seen.active or self._idle_hz >= self._most_hz:
            return None
        self._idle_hz = self._most_hz
        if self._account_s >= self._full_s * ROOM:
            self._affordable_hz = self._most_hz  # what was saved up while it was idle is for this
        self._patience_s = min(self._patience_s * 2, LONGEST_PATIENCE_S)
        return "active again"

    def search(self) -> None:
        """Have the sampler search for processes again: there is another one."""
        if not self.searching:
            self.searching = True
            self._alone_after_s = min(self._alone_after_s * 2, LONGEST_PATIENCE_S)
            self._begin_to_measure()
        self._alone_s = 0.0

    def _note_company(self, seen: Look) -> None:
        if seen.alone:
            self._alone_s += seen.wall_s
        else:
            self.search()

    def _too_dear(self) -> str | None:
        share = self._cost.share
        if self._account_s > 0 or self._stayed_s < STAY_S or share is None or share <= self.budget:
            return None
        if self.searching and self._alone_s >= self._alone_after_s:
            self.searching = False
            self._begin_to_measure()
            return None
        meant = self._within_budget(share)
        if meant >= self.rate_hz:
            higher = self._at_most(meant)
            if higher < 2 * self._affordable_hz:
                return None
            self._affordable_hz = higher
            return "more looks cost little"
        self._affordable_hz = min(self._at_most(meant), self._below(self.rate_hz))
        return f"over the budget: {share:.1%} of a CPU"

    def _within_budget(self, share: float) -> float:
        """Return the rate that is within the budget, or whose looks are where all the rest is not."""
        room = ROOM * self.budget
        if self._known is None or not self._agree(*self._known, share):
            return max(self.rate_hz * room / share, self.rate_hz / LARGEST_DROP)
        other_hz, other = self._known
        each = max(0.0, (other - share) / (other_hz - self.rate_hz))
        rest = max(0.0, share - each * self.rate_hz)
        if each * self._most_hz <= room and rest >= room:
            return self._most_hz
        return room / each if rest >= room else (room - rest) / each

    def _agree(self, other_hz: float, other: float, share: float) -> bool:
        """
        Tell whether what two rates cost goes together: the higher one's is the higher, or about the same.

        What a program made the sampler cost some time ago may not be so any more: then it tells nothing.
        """
        if other_hz == self.rate_hz:
            return False
        low, high = (other, share) if other_hz < self.rate_hz else (share, other)
        return low <= high * SAME

    def _idle(self) -> str | None:
        quiet_s = self._now_s - max(self._active_at_s, self._lowered_at_s)
        if quiet_s < self._patience_s or self.rate_hz <= IDLE_HZ:
            return None
        lower = max(self._at_most(self.rate_hz / 2), self._at_least(IDLE_HZ))
        if lower >= self.rate_hz:
            return None
        self._idle_hz = lower
        self._lowered_at_s = self._now_s
        return "idle"

    def _room_for_more(self) -> str | None:
        """Go up a step, if that stays within the budget even though all cost grew with the rate."""
        share = self._cost.share
        if self._stayed_s < RISE_AFTER_S or share is None:
            return None
        if self._keeps_up_hz < self._most_hz and self._now_s - self._late_at_s >= self._pardon_s:
            self._keeps_up_hz = self._above(self._keeps_up_hz)
            self._late_at_s = self._now_s
            return "the sampler keeps up"
        higher = self._above(self._affordable_hz)
        if higher <= self._affordable_hz or self._account_s < self._full_s / 2 or self._idle_hz < self._most_hz:
            return None
        if share * higher / self.rate_hz > ROOM * self.budget:
            return None
        self._affordable_hz = higher
        return "within the budget"

    # -- the change itself

    @property
    def _stayed_s(self) -> float:
        return self._now_s - self._since_s

    def _change(self, rate_hz: float, why: str) -> None:
        self.why = why
        if len(self.changes) < MOST_CHANGES:
            self.changes.append(Change(at_s=self._now_s, from_hz=self.rate_hz, to_hz=rate_hz, why=why))
        if self._cost.share is not None:
            self._known = self.rate_hz, self._cost.share
        self.rate_hz = rate_hz
        self._since_s = self._now_s
        self._cost = _Cost()

    def _begin_to_measure(self) -> None:
        """Forget what the sampler took: from now on it does something else."""
        self._since_s = self._now_s
        self._cost = _Cost()
        self._known = None

    def _at_most(self, rate_hz: float) -> float:
        """Return the highest rate that is not above `rate_hz`; the lowest one if all are."""
        return next((rate for rate in self._rates if rate <= rate_hz), self._rates[-1])

    def _at_least(self, rate_hz: float) -> float:
        """Return the lowest rate that is not below `rate_hz`; the highest one if all are."""
        return next((rate for rate in reversed(self._rates) if rate >= rate_hz), self._rates[0])

    def _below(self, rate_hz: float) -> float:
        return next((rate for rate in self._rates if rate < rate_hz), self._rates[-1])

    def _above(self, rate_hz: float) -> float:
        return next((rate for rate in reversed(self._rates) if rate > rate_hz), self._rates[0])


class _Cost:
    """What the sampler takes of late, as a share of one CPU."""

    def __init__(self) -> None:
        self._cpu_s = 0.0
        self._wall_s = 0.0

    def add(self, seen: Look) -> None:
        kept = exp(-seen.wall_s / _MEMORY_S)
        self._cpu_s = self._cpu_s * kept + seen.sampler_cpu_s
        self._wall_s = self._wall_s * kept + seen.wall_s

    @property
    def share(self) -> float | None:
        """`None`: not known yet."""
        return self._cpu_s / self._wall_s if self._wall_s > 0 else None
