"""Two runs, compared as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from dam_obs.diagnose.compare.figure import Figure
from dam_obs.diagnose.compare.runs import RunComparison, SystemChange, compare_runs
from dam_obs.diagnose.compare.side import RunSide, side_of_report
from dam_obs.testing.runs import example_report

COMPRESS = "asset_pipeline.systems:CompressAsset (system.execute)"
FETCH = "asset_pipeline.systems:FetchMetadata (system.execute)"
JOURNAL = "asset_pipeline.systems:WriteJournal (system.execute)"


def system(compared: RunComparison, name: str) -> SystemChange:
    (found,) = [each for each in compared.systems if each.name == name]
    return found


def figure(figures: tuple[Figure, ...], name: str) -> Figure:
    (found,) = [each for each in figures if each.name == name]
    return found


def changed(figures: tuple[Figure, ...]) -> dict[str, str]:
    return {each.name: each.verdict for each in figures if each.changed}


@pytest.fixture(scope="module")
def slower(sides: dict[str, RunSide]) -> RunComparison:
    """A run and one of a slower version."""
    return compare_runs(sides["before"], sides["after"], level=0.95)


def test_two_runs_of_one_program_do_not_differ(sides: dict[str, RunSide]) -> None:
    """Nothing of any kind is called changed, and nothing is to be doubted."""
    compared = compare_runs(sides["before"], sides["again"], level=0.95)

    assert [each.name for each in compared.systems if each.changed] == []
    assert (compared.differences, compared.doubts) == ((), ())
    assert {each.equal_input.verdict for each in compared.systems if each.equal_input} == {"same"}


def test_what_was_planted_is_found_and_nothing_else(slower: RunComparison) -> None:
    """Which system, and of what kind."""
    assert {each.name for each in slower.systems if each.changed and each.layer == "system"} == {
        COMPRESS,
        FETCH,
        JOURNAL,
    }
    assert [(each.name, each.time.verdict) for each in slower.systems if each.time.changed][:2] == [
        (FETCH, "slower"),
        (COMPRESS, "slower"),
    ]


def test_more_work_is_told_as_time_on_the_cpu(slower: RunComparison) -> None:
    """Part by part; the parts add up to the change of the mean."""
    found = system(slower, COMPRESS)
    assert found.mean is not None

    assert changed((found.mean, *found.parts)) == {"mean": "rose", "on CPU": "rose"}
    assert sum(part.change or 0 for part in found.parts) == pytest.approx(found.mean.change)
    assert figure(found.parts, "on CPU").change == pytest.approx(found.mean.after / 2, rel=0.1)


def test_a_longer_wait_is_told_as_awaiting(slower: RunComparison) -> None:
    """By as much as was planted."""
    found = system(slower, FETCH)
    awaiting = figure(found.parts, "awaiting")

    assert changed(found.parts) == {"awaiting": "rose"}
    assert (awaiting.low, awaiting.high) != (None, None)
    assert (awaiting.low or 0) <= 25_000_000 <= (awaiting.high or 0)


def test_more_bytes_are_told_by_device_and_direction(slower: RunComparison) -> None:
    """And are no change of time."""
    found = system(slower, JOURNAL)
    written = figure(found.bytes, "write nvme0n1 (disk)")

    assert changed(found.bytes) == {"write nvme0n1 (disk)": "rose"}
    assert written.after == pytest.approx(5 * (written.before or 0), rel=0.05)
    assert changed(found.parts) == {}


def test_the_function_that_took_longer_is_named(slower: RunComparison) -> None:
    """With the stack that it was on; what it was called from takes longer too, what is beside it does not."""
    found = system(slower, COMPRESS)

    assert {each.frames[0].function for each in found.functions if each.figure.changed} == {"__call__", "squeeze"}
    (stack,) = [each for each in found.stacks if each.figure.changed]
    assert [(frame.function, frame.file) for frame in stack.frames] == [
        ("__call__", "asset_pipeline/systems.py"),
        ("squeeze", "asset_pipeline/systems.py"),
    ]
    assert (stack.samples_before, stack.samples_after > 100) == (0, True)


def test_slower_at_equal_input_is_slower(slower: RunComparison) -> None:
    """By the factor that was planted, more narrowly than medians of all show it."""
    found = system(slower, COMPRESS)
    equal = found.equal_input
    assert equal is not None
    assert equal.time is not None
    assert found.time.time is not None

    assert (equal.verdict, equal.features[0].feature) == ("slower", "size")
    assert equal.time.low <= 2.0 <= equal.time.high
    assert equal.time.high / equal.time.low < found.time.time.high / found.time.time.low


def test_reports_alone_tell_sums_and_say_so(sides: dict[str, RunSide]) -> None:
    """Parts of time have no verdict, durations and shares of samples have one."""
    alone = [side_of_report(sides[name].report) for name in ("before", "after")]
    compared = compare_runs(*alone, level=0.95)
    found = system(compared, COMPRESS)

    assert compared.doubts == (
        (
            "Of both runs there is a report alone: how sure parts of time and bytes are is not known, and how samples "
            "are spread over executions is a guess."
        ),
    )
    assert found.time.verdict == "slower"
    assert {part.verdict for part in found.parts} == {"untested"}
    assert {each.frames[0].function for each in found.functions if each.figure.changed} == {"__call__", "squeeze"}
    assert (
        figure(found.parts, "on CPU").change
        == figure(system(compare_runs(sides["before"], sides["after"], level=0.95), COMPRESS).parts, "on CPU").change
    )


def test_systems_of_one_run_only_are_told(sides: dict[str, RunSide]) -> None:
    """New ones and such as are gone; of these there is nothing to compare."""
    report = sides["before"].report
    fewer = side_of_report(report.model_copy(update={"systems": report.systems[1:]}))
    whole = side_of_report(report)
    gone = compare_runs(whole, fewer, level=0.95)
    new = compare_runs(fewer, whole, level=0.95)

    name = next(name for name in whole.groups if name not in fewer.groups)
    assert (system(gone, name).time.verdict, system(new, name).time.verdict) == ("only_before", "only_after")
    assert (system(new, name).mean, system(new, name).parts) == (None, ())


def test_circumstances_that_differ_are_told(sides: dict[str, RunSide]) -> None:
    """The machine, the interpreter, the sampler, and how far to trust either run."""
    report = sides["before"].report
    quality = report.quality.model_copy(
        update={"verdict": "weak", "reasons": ["the run was cut short: what was open then is missing"],
                "rate_reached_hz": 20.0, "executions_dropped": 3}
    )  # fmt: skip
    host = report.host.model_copy(update={"python": "3.13.0", "cpus": 2})
    other = report.model_copy(update={"quality": quality, "host": host, "dam_obs_version": "9.9", "exit_status": 1})
    compared = compare_runs(side_of_report(report), side_of_report(other), level=0.95)

    assert [(each.what, each.before, each.after) for each in compared.differences] == [
        ("exit status", "0", "1"),
        ("Python", "CPython 3.12.1", "CPython 3.13.0"),
        ("processors", "4", "2"),
        ("dam-obs", "0.1.0", "9.9"),
        ("executions dropped", "0", "3"),
        ("samples a second", f"{report.quality.rate_reached_hz:.0f}", "20"),
    ]
    assert compared.doubts[0] == "The run after is weak: the run was cut short: what was open then is missing."


def test_refused_stacks_are_not_compared(sides: dict[str, RunSide]) -> None:
    """And that is said."""
    report = sides["before"].report
    refused = report.model_copy(
        update={"flame": None, "quality": report.quality.model_copy(update={"verdict": "refuse", "reasons": []})}
    )
    compared = compare_runs(side_of_report(refused), side_of_report(report), level=0.95)

    assert compared.doubts[0] == "The stacks of the run before are refused, and are not compared."
    assert {each.functions for each in compared.systems} == {()}


def test_of_few_executions_nothing_is_said(tmp_path: Path) -> None:
    """That is the first that is said of them."""
    few = [side_of_report(example_report(tmp_path / str(seed), seed, assets=5)) for seed in (1, 2)]
    compared = compare_runs(*few, level=0.95)

    assert "Nothing can be said: no system has 8 executions in both runs. Let them run longer." in compared.doubts
    assert [each.name for each in compared.systems if each.changed] == []


def test_when_everything_got_slower_the_machine_is_named(sides: dict[str, RunSide]) -> None:
    """A slower machine looks like a slower program."""
    report = sides["before"].report
    slowed = [
        system.model_copy(
            update={"points": [p.model_copy(update={"duration_ns": 9 * p.duration_ns}) for p in system.points]}
        )
        for system in report.systems
    ]
    compared = compare_runs(
        side_of_report(report), side_of_report(report.model_copy(update={"systems": slowed})), level=0.95
    )

    assert (
        f"All {len(slowed)} systems got slower: look at the machine and its load before the program." in compared.doubts
    )
