"""``--fail-on``: which changes a caller does not want, such as a pipeline that checks a new version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import click

from dam_obs.cli._units import percent
from dam_obs.store.populations import Comparison
from dam_obs.text import printable

_WRITTEN: Final = re.compile(r"(slower|errors)(?::(\d+(?:\.\d+)?)\s*%)?")


@dataclass(frozen=True, slots=True)
class Limit:
    """A change that is not wanted."""

    kind: Literal["slower", "errors"]
    beyond: float
    """By how much of what was before, 0.1 for a tenth; of errors, how many of all events more."""

    def broken_by(self, comparisons: Iterable[Comparison]) -> Iterator[str]:
        """Yield a sentence for each group that surely changed so, and by more."""
        for each in comparisons:
            name, time, errors = printable(each.name), each.time, each.errors
            if self.kind == "slower":
                if time is not None and each.verdict == "slower" and time.value - 1 > self.beyond:
                    yield f"{name} is slower by {percent(time.value - 1)}"
            elif errors is not None and each.errors_changed and errors.value > self.beyond:
                yield f"{name} fails more often by {percent(errors.value)} of its events"


def read_limits(_context: click.Context, _parameter: click.Parameter, texts: Sequence[str]) -> list[Limit]:
    """Read ``slower``, ``slower:10%``, ``errors`` or ``errors:1%``, as many as there are."""
    return [_limit(text) for text in texts]


def _limit(text: str) -> Limit:
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is no limit: write slower, slower:10%, errors or errors:1%")
    kind = cast("Literal['slower', 'errors']", found[1])
    return Limit(kind, float(found[2] or 0) / 100)
