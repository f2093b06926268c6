"""A draft's predictions beside what was recorded."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.draft.backtest import NoSuchSystem, NotADraft, backtest, read_drafts, system_of, whole_ms
from dam_obs.draft.errors import UnknownSystem
from dam_obs.draft.recorded import MOST_EXECUTIONS, Execution, RecordedSystem, evenly, recorded_systems
from dam_obs.draft.write import write_drafts
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run

MS = 1_000_000
SYSTEM = "shop.work:Pack"
DRAFT = """\
# Made by hand
# System: {system}
from __future__ import annotations
from typing import Any
from dam_traits import ExecutionCostTrait, Trait


class Pack:
    @classmethod
    async def calculate_traits(cls, cmd: Any, world: object) -> list[Trait]:
        \"\"\"time_ms is meant to hold for {quantile}% of executions.\"\"\"
        return [{trait}]
"""
COST = "ExecutionCostTrait(time_ms={})"


def draft_of(folder: Path, time_ms="cmd.size", *, quantile=80, system=SYSTEM, trait=COST):
    """Write and read a draft."""
    path = folder / "pack.py"
    path.write_text(DRAFT.format(system=system, quantile=quantile, trait=trait.format(time_ms)))
    (draft,) = read_drafts(path)
    return draft


def execution(number, took_ms, status="success", **features):
    """One execution."""
    return Execution(
        handle=f"sys_1768312800_{number:04x}",
        status=status,
        duration_ns=round(took_ms * MS),
        features=features,
        cpu_ns=None,
        run_queue_ns=None,
        touched={},
    )


def recorded(*executions, command="shop.work:PackCommand"):
    """A system with these executions."""
    return RecordedSystem(
        system=SYSTEM,
        operation=("system", "execute"),
        command_type=command,
        executions=executions,
        seen=len(executions),
    )


def test_figures_are_those_of_the_executions(tmp_path):
    """Median error, signed bias, and the share that took longer than was said."""
    took = [10, 20, 30, 40, 50]
    said = [10, 30, 33, 20, 50]
    runs = recorded(*(execution(n, t, size=s) for n, (t, s) in enumerate(zip(took, said, strict=True))))

    found = backtest(draft_of(tmp_path), runs)

    assert (found.executions, found.predicted, found.left_out, found.quantile) == (5, 5, 0, 0.8)
    assert found.mdape == pytest.approx(0.1)  # of 0, 0.5, 0.1, 0.5, 0
    assert found.bias == 0
    assert found.under.value == pytest.approx(0.2)
    assert found.under.low < 0.2 < found.under.high
    assert [(each.handle, each.said_ms, each.took_ms) for each in found.worst[:2]] == [
        ("sys_1768312800_0003", 20, 40),
        ("sys_1768312800_0001", 30, 20),
    ]
    assert (found.problems, found.stopped, found.not_rebuilt) == ({}, None, ())


def test_what_did_not_succeed_is_left_out(tmp_path):
    """The time of a failure says nothing of the work."""
    runs = recorded(execution(1, 5, size=5), execution(2, 900, "error", size=5), execution(3, 0, "blocked", size=5))

    found = backtest(draft_of(tmp_path), runs)

    assert (found.executions, found.left_out, found.mdape) == (1, 2, 0)


@pytest.mark.parametrize(("took_ns", "said"), [(0, 1), (1_499_999, 1), (1_500_000, 2), (40_400_000, 40)])
def test_times_are_compared_as_whole_milliseconds(took_ns, said):
    """As finely as a draft can say it."""
    assert whole_ms(took_ns) == said


def test_executions_without_a_prediction_are_counted_by_reason(tmp_path):
    """They are in no figure."""
    runs = recorded(execution(1, 4, size=4), execution(2, 4), execution(3, 4), execution(4, 4, size=0))

    found = backtest(draft_of(tmp_path), runs)

    assert (found.predicted, found.mdape) == (1, 0)
    assert found.problems == {"needs cmd.size, which was not recorded": 2, "it predicts no time": 1}


def test_a_draft_that_predicts_nothing_has_no_figures(tmp_path):
    """None, not zero."""
    found = backtest(draft_of(tmp_path, trait=""), recorded(execution(1, 4, size=4)))

    assert (found.mdape, found.bias, found.under, found.worst) == (None, None, None, ())
    assert found.problems == {"it predicts no time": 1}


def test_a_plugins_features_are_named_as_left_out(tmp_path):
    """They are not on the command."""
    found = backtest(draft_of(tmp_path), recorded(execution(1, 4, size=4, **{"log(size)": 2, "a b": 1})))

    assert found.not_rebuilt == ("a b", "log(size)")


REFUSED = {
    "a call": COST.format("open('x')"),
    "a call of a dunder": COST.format("cmd.__class__"),
    "sleep": "__import__('time').sleep(9)",
    "a comprehension": COST.format("sum(1 for _ in cmd)"),
}


@pytest.mark.parametrize("trait", REFUSED.values(), ids=REFUSED.keys())
def test_a_draft_that_is_more_than_a_calculation_is_not_run(tmp_path, trait, monkeypatch):
    """It is refused before there is a child."""
    monkeypatch.setattr("dam_obs.draft.backtest.ask", lambda *_, **__: pytest.fail("it was run"))

    with pytest.raises(NotADraft, match=r"a draft has no use for|not a trait"):
        backtest(draft_of(tmp_path, trait=trait.replace("{", "{{").replace("}", "}}")), recorded(execution(1, 4)))


NO_DRAFTS = {
    "torn": b"class X:\n  async def",
    "no text": b"\xff\xfe\x00",
    "null": b"x = 1\0",
    "too long": b"#" * 200_000,
    "deep": b"(" * 90_000,
    "without a class": b"x = 1\n",
}


@pytest.mark.parametrize("content", NO_DRAFTS.values(), ids=NO_DRAFTS.keys())
def test_a_file_that_is_no_draft_is_bad_input(tmp_path, content):
    """One sentence, with its path."""
    path = tmp_path / "it.py"
    path.write_bytes(content)

    with pytest.raises(NotADraft, match=r"it\.py is no draft"):
        read_drafts(path)


def test_a_folder_without_drafts_is_bad_input(tmp_path):
    """Rather than nothing to do."""
    with pytest.raises(NotADraft, match="has no Python files"):
        read_drafts(tmp_path)


def test_a_draft_is_for_the_system_that_it_names(tmp_path):
    """Or for the one that the user names; else for none."""
    mine, other = (
        recorded(),
        RecordedSystem(
            system="shop.work:Send", operation=("system", "execute"), command_type="a:B", executions=(), seen=0
        ),
    )
    systems = {SYSTEM: mine, "shop.work:Send": other}
    draft = draft_of(tmp_path)

    assert system_of(draft, systems) is mine
    assert system_of(draft, systems, "Send") is other
    with pytest.raises(NoSuchSystem, match="for no system of this run"):
        system_of(draft_of(tmp_path, system="gone:Pack"), systems)
    with pytest.raises(UnknownSystem, match="no system Pak"):
        system_of(draft, systems, "Pak")


def test_many_executions_are_drawn_evenly():
    """From the first to near the last."""
    drawn = evenly(range(10 * MOST_EXECUTIONS), MOST_EXECUTIONS)

    assert drawn == list(range(0, 10 * MOST_EXECUTIONS, 10))


def test_drafts_of_a_run_hold_for_the_run_itself(tmp_path):
    """Every system of the example, whose laws of cost are known, by all families of models."""
    run = write_example_run(tmp_path / "run")
    write_drafts(build_report(run), run.drafts)
    systems = recorded_systems(run)

    found = [backtest(draft, system_of(draft, systems)) for draft in read_drafts(run.drafts)]

    assert {each.system.partition(":")[2] for each in found} == {
        "CompressAsset", "ExtractMember", "FetchMetadata", "HashAsset", "IngestAsset", "SniffMime", "WriteJournal",
    }  # fmt: skip
    assert all(each.predicted == each.executions and each.stopped is None and not each.problems for each in found)
    assert all(each.under.low <= 0.1 for each in found)


def test_executions_are_those_of_the_operation_seen_most(tmp_path):
    """One that names no command is none of them."""
    run = write_example_run(tmp_path / "run", assets=12)
    events = list(read_events(run.trace))
    hasher = [event for event in events if event.component.endswith(":HashAsset")]
    odd = [msgspec.structs.replace(hasher[0], operation="prepare"), msgspec.structs.replace(hasher[0], command=None)]
    copy = RunFolder(tmp_path / "copy")
    copy.path.mkdir()
    copy.trace.write_bytes(b"\n".join(msgspec.json.encode(event) for event in [*odd, *events]))

    found = recorded_systems(copy)["asset_pipeline.systems:HashAsset"]

    assert (found.operation, found.seen) == (("system", "execute"), len(hasher))
    assert [each.handle for each in found.executions] == [event.trace_id for event in hasher]


def test_of_very_many_executions_some_are_kept_evenly(tmp_path, monkeypatch):
    """In bounded room, while all are counted."""
    monkeypatch.setattr("dam_obs.draft.recorded.MOST_EXECUTIONS", 4)
    run = write_example_run(tmp_path / "run", assets=40)
    handles = [event.trace_id for event in read_events(run.trace) if event.component.endswith(":SniffMime")]

    found = recorded_systems(run)["asset_pipeline.systems:SniffMime"]

    assert found.seen == len(handles) > 32
    assert [handles.index(each.handle) for each in found.executions] == [0, 8, 16, 24]
