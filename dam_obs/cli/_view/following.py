"""
Show traces as they end, for as long as a file grows.

First the newest of what is there already, then each trace once its root has ended. What its
lines are is `dam_obs.store.tail`'s business, when a trace is whole `dam_obs.store.gather`'s.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final, Protocol

import click

from dam_obs.cli._units import counted
from dam_obs.cli._view.picture import CUT, LATE, Asked, Picture, fitting, whole
from dam_obs.store.find import Source
from dam_obs.store.gather import Gathered, Gathering
from dam_obs.store.lines import SkipReason, read_line
from dam_obs.store.tail import Piped, Tail
from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent

LOOK_SECONDS: Final = 0.2
"""Between two looks at a file that nothing was appended to."""

BACKLOG_BYTES: Final = 64 * 1024 * 1024
"""Of what is there at the start so much is read: for the traces that are shown, and those that are still open."""

_AT_ONCE: Final = 1_000

Show = Callable[[Picture], None]


class Lines(Protocol):
    """Where lines come from."""

    ended: bool
    """Nothing will come any more."""

    def lines(self) -> Iterator[bytes]:
        """Yield what has come since the last time."""


def follow(
    source: Source, *, asked: Asked | None, named: str | None, last: int, partial_after_s: float, show: Show
) -> None:
    """
    Follow a file, or standard input, until Ctrl-C or its end.

    Args:
        source: Which.
        asked: Only events that fit, each below those that led to it; `None` for all.
        named: Only traces with an event of this handle or OpenTelemetry id; `None` for all.
        last: Of what is there already as many of the newest traces as have so many events together, and one at least.
        partial_after_s: A trace of which nothing came for so long is shown without its root.
        show: Shows one trace.
    """
    gathering = Gathering(quiet_s=partial_after_s)
    with ExitStack() as closing:
        lines: Lines
        if source.standard_input:
            lines = Piped(sys.stdin.fileno())
        else:
            lines = closing.enter_context(Tail(source.trace, backlog_bytes=BACKLOG_BYTES))
        Following(lines, name=printable(source.name), gathering=gathering, asked=asked, named=named, show=show).run(
            last
        )


class Following:
    """A file that is followed."""

    def __init__(
        self, source: Lines, *, name: str, gathering: Gathering, asked: Asked | None, named: str | None, show: Show
    ) -> None:
        """
        Make what shows nothing yet.

        Args:
            source: Its lines.
            name: For messages, safe to print.
            gathering: Makes traces of events.
            asked: As in `follow`.
            named: As in `follow`.
            show: Shows one trace.
        """
        self._source = source
        self._name = name
        self._gathering = gathering
        self._asked = asked
        self._named = named
        self._show = show
        self._skipped: Counter[SkipReason] = Counter()
        self._first_skipped = ""
        self._told_skipped = 0
        self._told_of_let_go = False
        self._lines_read = 0

    def run(self, last: int) -> None:
        """
        Show traces until the lines end; until Ctrl-C, if they do not.

        Args:
            last: As many traces of what is there already as have so many events together, and one at least.
        """
        try:
            newest = self._newest(last)
            self._tell_skipped()
            for picture in newest:
                self._show(picture)
            while not self._source.ended:
                if not self._look():
                    time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            self._finish()
            raise
        self._finish()

    # -- how

    def _newest(self, last: int) -> list[Picture]:
        kept: deque[Picture] = deque()
        events = 0
        for gathered in self._take(settled=False):
            for picture in self._pictures(gathered):
                kept.append(picture)
                events += len(picture.rows)
            while len(kept) > 1 and events > last:
                events -= len(kept.popleft().rows)
        return list(kept)

    def _look(self) -> bool:
        """Show what can be shown by now; say whether any line had come."""
        before = self._lines_read
        for gathered in self._take(settled=True):
            for picture in self._pictures(gathered):
                self._show(picture)
        return self._lines_read > before

    def _take(self, *, settled: bool) -> Iterator[Gathered]:
        for line in self._source.lines():
            self._lines_read += 1
            self._add(line)
            if self._lines_read % _AT_ONCE == 0:
                yield from self._gathering.due(settled=settled)
        yield from self._gathering.due(settled=settled)
        if self._gathering.let_go_traces and not self._told_of_let_go:
            self._tell_let_go()
            self._told_of_let_go = True

    def _add(self, line: bytes) -> None:
        found = read_line(line)
        for event in found.events:
            self._gathering.add(event)
        if found.skipped is not None:
            self._skipped[found.skipped] += 1
            self._first_skipped = self._first_skipped or f"{found.skipped} ({found.why})"

    def _pictures(self, gathered: Gathered) -> Iterator[Picture]:
        remarks = (CUT,) if gathered.cut else (LATE,) if gathered.why == "late" else ()
        for trace in gathered.traces:
            if self._named is not None and not any(self._is_named(node.event) for _, node in trace.root.walk()):
                continue
            picture = whole(trace, remarks) if self._asked is None else fitting(trace, self._asked, remarks)
            if picture is not None:
                yield picture

    def _is_named(self, event: TraceEvent) -> bool:
        return self._named in (event.trace_id, event.otel_span_id, event.otel_trace_id)

    def _finish(self) -> None:
        """Show what still waits, as far as it came, and say what was no event."""
        for gathered in self._gathering.rest():
            for picture in self._pictures(gathered):
                self._show(picture)
        if self._gathering.let_go_traces:
            self._tell_let_go()
        self._tell_skipped()

    def _tell_skipped(self) -> None:
        """Say how many lines were no events, if there are more than were told."""
        lines = sum(self._skipped.values())
        if lines == self._told_skipped:
            return
        kinds = ", ".join(f"{number:,} {reason}" for reason, number in self._skipped.most_common())
        said = (
            f"Skipped {counted(lines, 'line')} of {self._name} without an event ({kinds}), first {self._first_skipped}"
        )
        click.echo(printable(said), err=True)
        # Last: a Ctrl-C on the way has it told once more, and never not at all.
        self._told_skipped = lines

    def _tell_let_go(self) -> None:
        gone = self._gathering
        click.echo(
            f"Let go of {counted(gone.let_go_traces, 'trace')} with {counted(gone.let_go_events, 'event')}, the oldest "
            "first: too many were waiting for their roots.",
            err=True,
        )
