"""A comparison the other way round is the mirror of the comparison."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dam_obs.diagnose.compare.figure import Figure
from dam_obs.diagnose.compare.runs import SystemChange, compare_runs
from dam_obs.diagnose.compare.sampled import Seen, SystemStacks
from dam_obs.diagnose.compare.side import RunSide, Spread, name_of, side_of_report
from dam_obs.diagnose.report import DiagnosticReport, Peer, Point, Quantiles, TimeSplit
from dam_obs.store.means import Moments

TURNED = {"rose": "fell", "fell": "rose"}
TURNED_TIMES = {"slower": "faster", "faster": "slower", "only_before": "only_after", "only_after": "only_before"}


def turned(figure: Figure) -> tuple[Any, ...]:
    """What a figure is the other way round."""
    ends = (figure.low, figure.high) if figure.low is None or figure.high is None else (-figure.high, -figure.low)
    change = None if figure.change is None else pytest.approx(-figure.change, abs=1e-9)
    return (
        figure.name, figure.unit, figure.after, figure.before, change,
        *(None if end is None else pytest.approx(end, abs=1e-9) for end in ends),
        None if figure.p is None else pytest.approx(figure.p), TURNED.get(figure.verdict, figure.verdict),
    )  # fmt: skip


def plain(figure: Figure) -> tuple[Any, ...]:
    return (
        figure.name, figure.unit, figure.before, figure.after, figure.change,
        figure.low, figure.high, figure.p, figure.verdict,
    )  # fmt: skip


def figures(one: SystemChange) -> list[Figure]:
    """All of a system; functions and stacks by name, for those of equal size may stand in either order."""
    stacks = sorted((*one.functions, *one.stacks), key=lambda each: [(f.function, f.file) for f in each.frames])
    return [
        *([one.mean] if one.mean else []), *one.parts, *one.bytes, *one.shares, *one.pace,
        *(each.figure for each in stacks),
    ]  # fmt: skip


def assert_mirrored(first: RunSide, second: RunSide) -> None:
    there, back = compare_runs(first, second, level=0.95), compare_runs(second, first, level=0.95)
    others = {each.name: each for each in back.systems}

    assert {each.name for each in there.systems} == set(others)
    assert [(each.what, each.after, each.before) for each in there.differences] == [
        (each.what, each.before, each.after) for each in back.differences
    ]
    for each in there.systems:
        other = others[each.name]
        assert list(map(plain, figures(other))) == list(map(turned, figures(each)))
        assert other.time.verdict == TURNED_TIMES.get(each.time.verdict, each.time.verdict)
        if each.equal_input is not None and other.equal_input is not None:
            assert other.equal_input.executions == each.equal_input.executions[::-1]
            verdict = each.equal_input.verdict
            assert other.equal_input.verdict == TURNED_TIMES.get(verdict, verdict)


@pytest.mark.parametrize("one", ["before", "again", "after"])
@pytest.mark.parametrize("other", ["before", "again", "after"])
def test_of_whole_runs(sides: dict[str, RunSide], one: str, other: str) -> None:
    """Alike or not, by folder and by report."""
    assert_mirrored(sides[one], sides[other])
    assert_mirrored(side_of_report(sides[one].report), sides[other])


durations = st.lists(st.integers(0, 10**10), min_size=1, max_size=30)


@st.composite
def a_side(draw: st.DrawFn, report: DiagnosticReport) -> RunSide:
    """One run with some of three systems in it."""
    systems, spreads, stacks = [], {}, {}
    for template in report.systems[:3]:
        if draw(st.booleans()):
            continue
        took = draw(durations)
        cpu = [draw(st.integers(0, ns)) for ns in took]
        points = [
            Point(handle=f"sys_1_{n:04x}", duration_ns=ns, status="success", features={"size": draw(st.integers(1, 9))})
            for n, ns in enumerate(took)
        ]
        system = template.model_copy(
            update={
                "executions": len(took),
                "by_status": {"success": len(took), "error": 0, "blocked": 0},
                "latency": Quantiles(count=len(took), mean_ns=1.0, min_ns=0, p50_ns=0, p90_ns=0, p95_ns=max(took),
                                     p99_ns=0, max_ns=max(took)),
                "time": TimeSplit(wall_ns=sum(took), on_cpu_ns=sum(cpu), run_queue_ns=None, block_io_ns=None,
                                  awaiting_ns=draw(st.none() | st.just(0)), other_ns=sum(took) - sum(cpu),
                                  measured=len(took)),
                "peers": [Peer(address="db:5432", pool="net/db:5432", executions=draw(st.integers(0, len(took))))],
                "points": points,
            }
        )  # fmt: skip
        systems.append(system)
        spread = Spread(counted=len(took))
        for name, column in (("wall_ns", took), ("on_cpu_ns", cpu)):
            spread.parts[name] = moments = Moments()
            for value in column:
                moments.add(float(value))
        spreads[name_of(system)] = spread
        seen = SystemStacks(len(took), 10_000_000.0)
        for function in draw(st.sets(st.sampled_from("fgh"))):
            counts = draw(st.lists(st.integers(0, 9), min_size=len(took), max_size=len(took)))
            found = Seen(sum(counts), sum(count * count for count in counts))
            seen.places[function, "a.py"], seen.stacks[(function, "a.py"),] = found, found
            seen.samples += found.samples
        stacks[name_of(system)] = seen
    made = side_of_report(report.model_copy(update={"systems": systems}))
    if draw(st.booleans()):
        return made
    return RunSide(report=made.report, groups=made.groups, spreads=spreads, stacks=stacks)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_of_any_runs(report: DiagnosticReport, data: st.DataObject) -> None:
    """Few executions or none, parts that one run did not measure, reports against folders."""
    sides = a_side(report)
    assert_mirrored(data.draw(sides), data.draw(sides))
