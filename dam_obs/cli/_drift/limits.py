"""``--fail-on`` of `dam-obs backtest`: how far off a draft may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import click

from dam_obs.cli._units import percent
from dam_obs.draft.backtest import Backtest
from dam_obs.text import printable

_WRITTEN: Final = re.compile(r"(mdape|bias|under)(?::(\d{1,6}(?:\.\d{1,6})?)\s*%)?")


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure that is not to be exceeded."""

    figure: str
    """``mdape``, ``bias`` (in either direction) or ``under``."""
    most: float | None
    """As a fraction; `None`, for ``under``: what the draft states, give or take chance."""

    def broken_by(self, results: Sequence[Backtest]) -> Iterator[str]:
        """Yield a sentence for each draft that exceeds it; one without any prediction exceeds every limit."""
        for each in results:
            name = printable(each.system)
            value = self._value(each)
            if value is None:
                yield f"{name} has no prediction"
            elif self.most is not None and abs(value) > self.most:
                yield f"{name} has {self.figure} {percent(value)}, more than {percent(self.most)}"
            elif self.most is None and each.under is not None and each.under.low > 1 - each.quantile:
                yield f"{name} takes longer than it says for {percent(value)}, {percent(1 - each.quantile)} were meant"

    def _value(self, each: Backtest) -> float | None:
        if each.under is None:
            return None
        return {"mdape": each.mdape, "bias": each.bias}.get(self.figure, each.under.value)


def read_limits(_context: click.Context, _parameter: click.Parameter, texts: Sequence[str]) -> list[Limit]:
    """Read ``mdape:25%``, ``bias:20%``, ``under`` or ``under:15%``, as many as there are."""
    return [_limit(text) for text in texts]


def read_percent(_context: click.Context, _parameter: click.Parameter, text: str) -> float:
    """Read ``50%`` as a fraction."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*%", text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is no percentage: write 50%")
    return float(found[1]) / 100


def _limit(text: str) -> Limit:
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or (found[1] != "under" and found[2] is None):
        raise click.BadParameter(f"{text!r} is no limit: write mdape:25%, bias:20%, under or under:15%")
    return Limit(found[1], None if found[2] is None else float(found[2]) / 100)
