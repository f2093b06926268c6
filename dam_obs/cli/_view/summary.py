"""
What was chosen of a trace in a page of Markdown, short enough for an issue or a prompt.

Counts by layer, the slowest operations, what failed with the way down to it, the critical path and
the longest gap. Where that is too long, each part shows less and says how much it leaves out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Final

from dam_obs.cli._units import counted, duration
from dam_obs.cli._view.markdown import code_span, in_table
from dam_obs.cli._view.picture import Picture
from dam_obs.cli._view.tree import share
from dam_obs.store.timing import duration_ns
from dam_obs.trace.events import TraceEvent

LONGEST: Final = 4_000
"""Characters."""

_SIZES: Final = ((8, 80), (6, 80), (5, 60), (4, 50), (3, 40), (2, 30), (1, 20))
"""How many lines of a part, and how long a text in it, from plenty to little."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """An event that did not succeed, and the operations from the root down to it."""

    event: TraceEvent
    way: tuple[str, ...]

    @property
    def what(self) -> tuple[str, ...]:
        """What makes two of them the same."""
        return (*self.way, self.event.status, str(self.event.metadata.get("error.type", "")))


class Summary:
    """What there is to say; `text` says as much of it as fits."""

    def __init__(self, pictures: Sequence[Picture], name: str, events_in_trace: int) -> None:
        """
        Sum up what was asked for.

        Args:
            pictures: The traces.
            name: Where they are from.
            events_in_trace: How many events there are in all.
        """
        self._pictures = pictures
        self._events = [row.event for picture in pictures for row in picture.rows if not row.context]
        self._name = name
        self._events_in_trace = events_in_trace
        self._troubles = [trouble for picture in pictures for trouble in _troubles(picture)]

    def text(self) -> str:
        """Return it, in at most `LONGEST` characters."""
        for lines, width in _SIZES:
            text = "\n".join(self._lines(lines, width)) + "\n"
            if len(text) <= LONGEST:
                return text
        return text[: LONGEST - 2] + "…\n"

    def _lines(self, most: int, width: int) -> Iterator[str]:
        yield self._counts(width)
        if not self._events:
            return
        yield ""
        yield from self._layers(most, width)
        for heading, lines in (
            ("Slowest", self._slowest(most, width)),
            ("Errors", self._failed("error", most, width)),
            ("Blocked", self._failed("blocked", most, width)),
            (self._critical_heading(), self._critical(most, width)),
            ("Longest gap", self._gap(width)),
        ):
            shown = list(lines)
            if shown:
                yield from ("", f"**{heading}**", "")
                yield from (f"- {line}" for line in shown)

    def _counts(self, width: int) -> str:
        statuses = Counter(event.status for event in self._events)
        counts = [counted(len(self._pictures), "trace"), counted(len(self._events), "event")]
        counts += [counted(statuses["error"], "error")] if statuses["error"] else []
        counts += [f"{statuses['blocked']:,} blocked"] if statuses["blocked"] else []
        when = ""
        if self._pictures:
            starts = [picture.root.timestamp for picture in self._pictures]
            when = f", begun {_cut(min(starts), 35)}" + (f" to {_cut(max(starts), 35)}" if len(starts) > 1 else "")
        return (
            f"{code_span(_cut(self._name, width))}: {', '.join(counts)} (of {self._events_in_trace:,} recorded){when}"
        )

    def _layers(self, most: int, width: int) -> Iterator[str]:
        by_layer: dict[str, list[TraceEvent]] = {}
        for event in self._events:
            by_layer.setdefault(event.hrm_layer, []).append(event)
        yield "| layer | events | mean | max | errors | blocked |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: |"
        ordered = sorted(by_layer.items(), key=lambda pair: -len(pair[1]))
        for layer, events in ordered[:most]:
            times = [taken for event in events if (taken := duration_ns(event)) is not None]
            mean, most_ns = (duration(sum(times) / len(times)), duration(max(times))) if times else ("", "")
            ended = Counter(event.status for event in events)
            cells = [in_table(_cut(layer, width)), f"{len(events):,}", mean, most_ns]
            yield f"| {' | '.join([*cells, str(ended['error']), str(ended['blocked'])])} |"
        if len(ordered) > most:
            yield f"| and {len(ordered) - most:,} more | | | | | |"

    def _slowest(self, most: int, width: int) -> Iterator[str]:
        timed = ((taken, event) for event in self._events if (taken := duration_ns(event)))
        for taken, event in nlargest(most, timed, key=lambda pair: pair[0]):
            about = f" {code_span(_cut(event.input_summary, width))}" if event.input_summary else ""
            yield f"{duration(taken)} {code_span(_cut(_name(event), width))}{about} ({_handle(event)})"

    def _failed(self, status: str, most: int, width: int) -> Iterator[str]:
        alike: dict[tuple[str, ...], list[_Trouble]] = {}
        for trouble in self._troubles:
            if trouble.event.status == status:
                alike.setdefault(trouble.what, []).append(trouble)
        for same in sorted(alike.values(), key=len, reverse=True)[:most]:
            event = same[0].event
            times = f"{len(same):,} × " if len(same) > 1 else ""
            why = _cut(_why(event), width)
            yield f"{times}{_way(same[0].way, width)}: {code_span(why)} ({_handle(event)})"
        if len(alike) > most:
            yield f"and {counted(len(alike) - most, 'other kind')}"

    @property
    def _slowest_trace(self) -> Picture | None:
        known = [picture for picture in self._pictures if picture.anatomy is not None and picture.anatomy.path]
        return max(known, key=lambda picture: duration_ns(picture.root) or 0, default=None)

    def _critical_heading(self) -> str:
        slowest = self._slowest_trace
        if slowest is None:
            return ""
        which = "of the slowest trace, " if len(self._pictures) > 1 else ""
        return f"Critical path {which}{_handle(slowest.root)}, {duration(duration_ns(slowest.root) or 0)}"

    def _critical(self, most: int, width: int) -> Iterator[str]:
        slowest = self._slowest_trace
        if slowest is None or slowest.anatomy is None:
            return
        spent: Counter[str] = Counter()
        spans: dict[str, set[int]] = {}
        for segment in slowest.anatomy.path:
            name = _name(segment.node.event)
            spent[name] += segment.length_ns
            spans.setdefault(name, set()).add(id(segment.node))
        for name, ns in spent.most_common(most):
            several = f" in {len(spans[name]):,} spans" if len(spans[name]) > 1 else ""
            yield f"{share(ns, slowest)} {code_span(_cut(name, width))} {duration(ns)}{several}"
        if len(spent) > most:
            rest_ns = sum(spent.values()) - sum(ns for _, ns in spent.most_common(most))
            yield f"{share(rest_ns, slowest)} in {counted(len(spent) - most, 'other operation')}"

    def _gap(self, width: int) -> Iterator[str]:
        gaps = [gap for picture in self._pictures if picture.anatomy and (gap := picture.anatomy.longest_gap)]
        if not gaps:
            return
        part, longest = max(gaps, key=lambda pair: pair[1].length_ns)
        event = part.node.event
        yield (
            f"{duration(longest.length_ns)} of {duration(part.place.length_ns)} in "
            f"{code_span(_cut(_name(event), width))} ({_handle(event)}): nothing recorded below it from "
            f"{duration(longest.start_ns - part.place.start_ns)} on"
        )


def _troubles(picture: Picture) -> Iterator[_Trouble]:
    """Yield what did not succeed, but for what only passed on the trouble of one right below it."""
    way: list[TraceEvent] = []
    passed_on: set[int] = set()
    found: list[_Trouble] = []
    for row in picture.rows:
        del way[row.depth :]
        way.append(row.event)
        if row.event.status == "success":
            continue
        passed_on.update(id(above) for above in way[-2:-1] if above.status == row.event.status)
        if not row.context:
            found.append(_Trouble(row.event, tuple(_name(each) for each in way)))
    yield from (trouble for trouble in found if id(trouble.event) not in passed_on)


def _why(event: TraceEvent) -> str:
    said = [str(event.metadata.get(name, "")) for name in ("error.type", "error")]
    return ": ".join(each for each in said if each) or event.output_summary or event.status


def _way(names: Sequence[str], width: int) -> str:
    """Show the way down; of a long one its end, which tells more."""
    shown = " > ".join(names)
    return code_span(shown if len(shown) <= 2 * width else "…" + shown[-2 * width :])


def _name(event: TraceEvent) -> str:
    return f"{event.hrm_layer}.{event.operation}"


def _handle(event: TraceEvent) -> str:
    return code_span(_cut(event.trace_id, 40))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
