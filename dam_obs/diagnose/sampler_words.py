"""What the sampler took and how often it looked, in a line for people: on the page and at the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from dam_obs.diagnose.report import Quality

MOST_RATES = 6
"""Rates that are named one by one."""


def sampler_line(quality: Quality) -> str | None:
    """Say it; `None` where nothing is known of it."""
    return "; ".join(_parts(quality)) or None


def _parts(quality: Quality) -> Iterator[str]:
    if quality.sampler_share is not None:
        yield f"took {quality.sampler_share:.1%} of a CPU{_allowed(quality.sampler_share, quality.budget_share)}"
    if len(quality.rates) > 1:
        yield f"looked at {_rates(quality)}"
    if quality.sampler_restarts:
        times = "once" if quality.sampler_restarts == 1 else f"{quality.sampler_restarts} times"
        yield f"begun anew {times}, {quality.unsampled_s or 0:.1f} s unsampled"
    if quality.samples_let_go:
        yield f"{quality.samples_let_go:,} samples let go for lack of room"
    if quality.native:
        yield "with native stacks"


def _allowed(taken: float, budget: float | None) -> str:
    if budget is None:
        return ""
    return f", {budget:.1%} allowed" + (" in the long run" if taken > budget else "")


def _rates(quality: Quality) -> str:
    rates = [f"{rate:g}" for rate, _ in groupby(span.rate_hz for span in quality.rates)]
    if len(rates) <= MOST_RATES:
        return f"{', '.join(rates)} Hz"
    return f"{', '.join(rates[:MOST_RATES])} Hz and so on, {len(rates)} rates in all"
