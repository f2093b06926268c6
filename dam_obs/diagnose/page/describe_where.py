"""Say in words where time went beyond its sums: what was awaited, what nothing covers, how many ran at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final, Literal

from markupsafe import Markup

from dam_obs.diagnose.page import units
from dam_obs.diagnose.page.text import shown
from dam_obs.diagnose.page.view import Flight, Share, Table, WhereView
from dam_obs.diagnose.report import SystemDiagnosis
from dam_obs.diagnose.report_where import AwaitedPlace, Gaps, InFlight, WaitKind

KINDS: Final[dict[WaitKind, tuple[str, str]]] = {
    "sleep": ("sleep", "a timer"),
    "lock": ("lock", "a lock, semaphore, condition or event"),
    "queue": ("queue", "a queue to have an item, or room"),
    "network": ("network", "a stream or socket"),
    "process": ("process", "a program"),
    "thread": ("thread", "work handed to a thread or an executor"),
    "task": ("task", "other tasks"),
    "future": ("future", "a future that does not tell whose it is"),
    "turn": ("turn", "the event loop's next round"),
    "consumer": ("consumer", "whoever takes its items"),
    "unknown": ("unknown", "an object of no known kind"),
    "short": ("short", "less than a millisecond at a time, without a name"),
}
"""A word and its meaning, by kind."""

_WHAT: Final = {
    "asyncio.tasks:_GatheringFuture": "asyncio.gather",
    "asyncio.taskgroups:TaskGroup.__aexit__": "asyncio.TaskGroup",
    "asyncio.tasks:sleep": "asyncio.sleep",
    "asyncio.threads:to_thread": "asyncio.to_thread",
    "_asyncio:Future": "asyncio.Future",
}
"""What programs call things whose own names are the library's."""

PLACES: Final = 12
_HEIGHT: Final = 24


def where_view(system: SystemDiagnosis) -> WhereView:
    """Put it into words."""
    return WhereView(
        awaited=_awaited(system),
        awaited_note=_awaited_note(system),
        places=_places(system.awaited[:PLACES]) if system.awaited else None,
        gaps=_gaps(system.gaps) if system.gaps else [],
        gaps_note=_gaps_note(system.gaps, system.executions) if system.gaps else "",
        flight=_flight(system.in_flight, system.concurrency_peak) if system.in_flight else None,
    )


def _awaited(system: SystemDiagnosis) -> list[Share]:
    parts, whole = system.time.awaiting or {}, system.time.awaiting_ns or 0
    ordered = sorted(parts.items(), key=lambda item: -item[1])
    return [_share("awaiting", *KINDS[kind], nanoseconds, whole) for kind, nanoseconds in ordered]


def _awaited_note(system: SystemDiagnosis) -> str:
    if system.time.awaiting_ns is None or system.time.awaiting is None:
        return ""
    if system.awaited_named >= system.time.measured:
        return ""
    named = f"{units.count(system.awaited_named)} of {units.count(system.time.measured)}"
    return f"Projected from {named} executions, whose waits were named."


def _places(places: Sequence[AwaitedPlace]) -> Table:
    has_things = any(place.about for place in places)
    columns: list[tuple[str, Literal["text", "name", "number"]]] = [
        ("Awaited", "name"),
        ("By", "name"),
        ("At", "name"),
        ("Of waiting", "number"),
        ("Times", "number"),
    ]
    return Table(
        "Where it was suspended",
        [*columns, ("Peer, program or file", "name")] if has_things else columns,
        [
            [
                f"{KINDS[place.kind][0]}: {shown(_WHAT.get(place.what, place.what), 80)}"
                if place.what
                else KINDS[place.kind][0],
                shown((place.by or "").rpartition(":")[2], 80),
                _at(place),
                units.percent(place.share),
                units.count(place.times),
                *([", ".join(shown(thing, 60) for thing in place.about)] if has_things else []),
            ]
            for place in places
        ],
    )


def _at(place: AwaitedPlace) -> str:
    if not place.file:
        return ""
    line = f":{place.line}" if place.line is not None else ""
    return shown(PurePath(place.file).name, 60) + line


def _gaps(gaps: Gaps) -> list[Share]:
    covered = gaps.wall_ns - gaps.uncovered_ns
    own, awaiting = gaps.on_cpu_ns, gaps.awaiting_ns
    rows = [_share("covered", "covered", "something that it started was running", covered, gaps.wall_ns)]
    if own is not None:
        rows.append(_share("on-cpu", "own CPU", "computing, and nothing below it", own, gaps.wall_ns))
    if awaiting is not None:
        rows.append(_share("awaiting", "awaiting", "suspended, and nothing below it", awaiting, gaps.wall_ns))
    rows.append(_share("other", "not known", "blocked in a step, or not measured", gaps.other_ns, gaps.wall_ns))
    return rows


def _gaps_note(gaps: Gaps, executions: int) -> str:
    longest = f"The longest stretch that nothing covers is {units.duration(gaps.longest_ns)}."
    if gaps.executions >= executions:
        return longest
    return f"Of the {units.count(gaps.executions)} executions that started something. {longest}"


def _share(kind: str, label: str, meaning: str, nanoseconds: int, whole: int) -> Share:
    share = nanoseconds / whole if whole else 0.0
    width = round(max(0.0, min(share, 1.0)) * 100, 2)
    return Share(kind, label, meaning, width, units.duration(nanoseconds), units.percent(share))


def _flight(series: InFlight, peak: int) -> Flight:
    """Draw steps from left to right, scaled to the highest; the line goes along the tops of the parts."""
    top = max(series.mean, default=0.0)
    scale = _HEIGHT / top if top > 0 else 0.0
    steps = "".join(f"V{_HEIGHT - mean * scale:.1f}H{place}" for place, mean in enumerate(series.mean, start=1))
    length = series.bucket_ns * len(series.mean)
    highest = units.digits(top)
    return Flight(
        path=Markup(f"M0 {_HEIGHT}{steps}V{_HEIGHT}Z"),  # noqa: S704 - numbers of ours
        box=f"0 0 {max(len(series.mean), 1)} {_HEIGHT}",
        highest=highest,
        lasted=units.duration(length),
        summary=f"Executions in flight over {units.duration(length)}: up to {highest} on average in one part of it, "
        f"{units.count(peak)} at most at one moment.",
    )
