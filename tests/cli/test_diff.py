"""``dam-obs diff``."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dam_obs.cli import main
from dam_obs.cli.diff import command
from dam_obs.trace.events import TraceEvent

GUIDE = Path(__file__).parents[2] / "docs" / "diff.md"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)


def event(number: int, **fields: Any) -> TraceEvent:
    plain: dict[str, Any] = {
        "parent_id": None, "timestamp": "2026-01-13T15:00:00+00:00", "hrm_layer": "altitude", "operation": "plan",
        "component": "altitude.py", "input_summary": "", "output_summary": "", "duration_ms": 0,
        "status": "success", "metadata": {}, "duration_ns": 1_000_000,
    }  # fmt: skip
    return TraceEvent(trace_id=f"alt_1_{number}", **(plain | fields))


def spans(number: int = 60, *, seed: int = 1, factor: float = 1.0, failing: int = 0, **fields: Any) -> list[TraceEvent]:
    dice = random.Random(seed)
    return [
        event(
            n,
            duration_ns=int(factor * dice.lognormvariate(15, 0.4)),
            status="error" if n < failing else "success",
            **fields,
        )
        for n in range(number)
    ]


def write(name: str, *events: TraceEvent) -> None:
    Path(name).write_bytes(msgspec.json.Encoder().encode_lines(events))


def diff(*arguments: str, status: int = 0, columns: int = 80) -> tuple[str, str]:
    """What goes to standard output and to standard error."""
    result = CliRunner().invoke(command, arguments, catch_exceptions=False, env={"COLUMNS": str(columns)})
    assert result.exit_code == status, result.output
    return result.stdout, result.stderr


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_two_traces_side_by_side() -> None:
    """What changed is first; numbers of before and after stand below each other, what changed below the name."""
    route = {"operation": "route", "hrm_layer": "focus"}
    write("old.jsonl", *spans(200), *spans(60, **route), *spans(3, operation="evaluate"), event(1, operation="gone"))
    write("new.jsonl", *spans(200, seed=2, factor=2), *spans(60, failing=30, **route), *spans(3, operation="evaluate"))
    out, err = diff("old.jsonl", "new.jsonl")

    assert "\n".join(lines(out)) in GUIDE.read_text(encoding="utf-8")
    assert lines(out) == [
        "Before: 264 events of old.jsonl",
        "After: 263 events of new.jsonl",
        "",
        "Group                                 Events   Median      p95  Errors",
        "altitude.plan                            200  3.27 ms  5.96 ms    0.0%",
        "  slower 2.02× [1.84, 2.28]              200   6.6 ms  12.1 ms    0.0%",
        "focus.route                               60   3.3 ms  5.49 ms    0.0%",
        "  same 1.00× [0.86, 1.17]                 60   3.3 ms  5.49 ms   50.0%",
        "  errors +50.0 points [+36.3, +62.3]",
        "altitude.gone                              1     1 ms     1 ms    0.0%",
        "  only before                              –        –        –       –",
        "altitude.evaluate                          3  4.17 ms  5.35 ms    0.0%",
        "  too few to tell                          3  4.17 ms  5.35 ms    0.0%",
        "",
        "1 slower, 1 same, 1 too few to tell, 1 only before, 1 with another rate of",
        "errors.",
        "[low, high] holds the true change in 95 % of cases. Of what is called slower,",
        "faster or another rate, 5 % at most is expected to be chance",
        "(Benjamini-Hochberg).",
    ]
    assert err == ""


def test_a_trace_against_itself_is_the_same() -> None:
    """And comes out byte for byte the same at each call."""
    write("trace.jsonl", *spans(100, failing=7))
    first, again = diff("trace.jsonl", "trace.jsonl", "--json"), diff("trace.jsonl", "trace.jsonl", "--json")

    assert first == again
    (group,) = json.loads(first[0])["groups"]
    assert (group["verdict"], group["ratio_of_medians"]["value"], group["errors"]["value"]) == ("same", 1.0, 0.0)


def test_twofold_on_fifty_spans_is_found() -> None:
    """In one group among twenty that did not change."""
    write("old.jsonl", *(each for n in range(20) for each in spans(50, seed=n, operation=f"o{n}")))
    write(
        "new.jsonl",
        *(each for n in range(20) for each in spans(50, seed=n + 50, operation=f"o{n}", factor=2 if n == 7 else 1)),
    )
    groups = json.loads(diff("old.jsonl", "new.jsonl", "--json")[0])["groups"]

    assert {group["group"] for group in groups if group["verdict"] in ("slower", "faster")} == {"altitude.o7"}


def test_newest_against_those_before_them() -> None:
    """In one trace, which is the newest here if none is named."""
    write("trace.jsonl", *spans(500, seed=3), *spans(100, seed=4), *spans(100, seed=5, factor=3))
    out, _ = diff("--last", "100")

    assert lines(out)[:2] == [
        "Before: 100 events of trace.jsonl, those before the newest 100",
        "After: 100 events of trace.jsonl, the newest",
    ]
    assert "slower 3." in out


def test_parts_of_one_trace_by_filters() -> None:
    """With one for each part, and one for both."""
    write(
        "trace.jsonl", *spans(60, metadata={"tier": "warm"}), *spans(60, factor=4, metadata={"tier": "cold"}),
        *spans(60, operation="route", metadata={"tier": "warm"}),
    )  # fmt: skip
    out, _ = diff("trace.jsonl", "--before", "@tier:warm", "--after", "@tier:cold", "-f", "operation:plan")

    assert lines(out)[:2] == [
        "Before: 60 events of trace.jsonl with operation:plan @tier:warm",
        "After: 60 events of trace.jsonl with operation:plan @tier:cold",
    ]
    assert "slower 4.00×" in out
    assert "route" not in out


def test_nothing_in_common() -> None:
    """Groups on one side only have no intervals to explain."""
    write("a.jsonl", event(1, operation="gone"))
    write("b.jsonl", event(1, operation="new"))

    assert lines(diff("a.jsonl", "b.jsonl")[0])[3:] == [
        "Group          Events  Median   p95",
        "altitude.gone       1    1 ms  1 ms",
        "  only before       –       –     –",
        "altitude.new        –       –     –",
        "  only after        1    1 ms  1 ms",
        "",
        "1 only before, 1 only after.",
    ]


def test_groups_of_another_kind() -> None:
    """By a value among the data; events without one are counted."""
    write("a.jsonl", *spans(20, metadata={"tier": "cold"}), *spans(5))
    write("b.jsonl", *spans(20, metadata={"tier": "cold"}))
    out, err = diff("a.jsonl", "b.jsonl", "--by", "@data.tier")

    assert [line.split()[0] for line in lines(out)[4:5]] == ["cold"]
    assert err == "Left out: 5 events of a.jsonl without @data.tier.\n"


def test_json() -> None:
    """All of it, for other programs; what has no bound is null."""
    write("a.jsonl", *(event(n, duration_ns=0) for n in range(20)), event(1, operation="gone", kind="event"))
    write("b.jsonl", *(event(n, duration_ns=5) for n in range(20)), b_event := event(1, operation="new"))
    Path("b.jsonl").write_bytes(Path("b.jsonl").read_bytes() + b"nothing\n")
    document = json.loads(diff("a.jsonl", "b.jsonl", "--json", "--level", "0.9")[0])
    groups = {group["group"]: group for group in document.pop("groups")}

    assert document == {
        "schema_version": 1, "by": "layer.operation", "level": 0.9, "false_discovery_rate": 0.1,
        "before": {"trace": "a.jsonl", "filter": "", "newest": None, "skip_newest": 0, "events": 21,
                   "without_group": 0, "skipped": {}},
        "after": {"trace": "b.jsonl", "filter": "", "newest": None, "skip_newest": 0, "events": 21,
                  "without_group": 0, "skipped": {"foreign": 1}},
        "runs": None,
    }  # fmt: skip
    assert groups["altitude.plan"]["before"] == {
        "events": 20, "spans": 20, "median_ns": 0, "p95_ns": 0, "errors": 0, "blocked": 0
    }  # fmt: skip
    ratio = groups["altitude.plan"]["ratio_of_medians"]
    assert (ratio["value"], ratio["low"], ratio["high"]) == (None, None, None)
    assert 0 < ratio["p"] < 1e-9
    assert groups["altitude.gone"]["before"]["median_ns"] is None
    assert groups["altitude.new"] | {"after": None} == {
        "group": f"altitude.{b_event.operation}", "verdict": "only_after", "before": None, "after": None,
        "ratio_of_medians": None, "errors": None, "errors_changed": False, "blocked": None, "blocked_changed": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "status", "says"),
    [
        ((), 0, ""),
        (("slower",), 1, "Not within the limit: altitude.plan is slower by 100 %.\n"),
        (("slower:10%",), 1, "Not within the limit: altitude.plan is slower by 100 %.\n"),
        (("slower:150%",), 0, ""),
        (("errors:1%",), 1, "Not within the limit: altitude.route fails more often by 50 % of its events.\n"),
        (("errors:60%", "slower:110%"), 0, ""),
    ],
)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_limits(limits: tuple[str, ...], status: int, says: str, as_json: tuple[str, ...]) -> None:
    """Only what surely changed, by more than is allowed, makes the status 1."""
    write("a.jsonl", *spans(60), *spans(60, operation="route"))
    write("b.jsonl", *spans(60, factor=2), *spans(60, operation="route", failing=30))
    options = [word for limit in limits for word in ("--fail-on", limit)]

    assert diff("a.jsonl", "b.jsonl", *options, *as_json, status=status)[1] == says


def test_faster_and_equal_are_within_every_limit() -> None:
    """Also where a median is larger by chance."""
    write("a.jsonl", *spans(60), *spans(60, operation="route"))
    write("b.jsonl", *spans(60, factor=0.5), *spans(60, operation="route", seed=9))
    diff("a.jsonl", "b.jsonl", "--fail-on", "slower", "--fail-on", "errors")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a.jsonl"], "one trace alone cannot be compared"),
        (["a.jsonl", "a.jsonl", "a.jsonl"], "3 traces were given"),
        (["a.jsonl", "a.jsonl", "--before", "x", "--after", "y"], "two traces were given"),
        (["a.jsonl", "--before", "x"], "go together"),
        (["a.jsonl", "--last", "0"], "0 is not in the range"),
        (["a.jsonl", "b.jsonl"], "no trace at b.jsonl"),
        (["a.jsonl", "a.jsonl", "--by", "compnent"], "did you mean component?"),
        (["a.jsonl", "a.jsonl", "-f", "status:eror"], "did you mean error?"),
        (["a.jsonl", "a.jsonl", "--fail-on", "slow"], "'slow' is no limit: write slower, slower:10%"),
        (["a.jsonl", "a.jsonl", "--level", "95"], "95.0 is not in the range"),
    ],
)
def test_what_is_typed_wrong(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what, and the status is 2."""
    write("a.jsonl", event(1))

    assert main(["diff", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_what_does_not_fit_is_said() -> None:
    """No event on one side, or more groups than are shown."""
    write("a.jsonl", *(event(n, operation=f"o{n}") for n in range(5)))

    assert (
        diff("a.jsonl", "a.jsonl", "-f", "operation:none")[1].splitlines()
        == ["No event of a.jsonl fits operation:none."] * 2
    )
    assert diff("a.jsonl", "a.jsonl", "--top", "2")[1] == "Left out: 3 groups that changed less; --top 5 shows all.\n"


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_table_fits_its_terminal(columns: int) -> None:
    """A long name goes on below itself."""
    write("a.jsonl", *spans(20, operation="o" * 300, failing=2), event(1, status="blocked", operation="x\x1b[2J[red]"))
    out, _ = diff("a.jsonl", "a.jsonl", columns=columns)

    assert max(len(line) for line in lines(out)) <= columns
    assert "\x1b" not in out
    assert "".join(out.split()).count("o" * 20) > 0


junk = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda **fields: msgspec.json.encode(event(1, **fields)),
            operation=st.text(max_size=5),
            hrm_layer=st.sampled_from(["altitude", "zzz", "", "other"]),
            duration_ns=st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            duration_ms=st.integers(-(2**40), 2**40),
            status=st.sampled_from(["success", "error", "blocked"]),
            kind=st.sampled_from(["span", "event", "step"]),
            metadata=st.dictionaries(st.text(max_size=3), st.one_of(st.none(), st.text(max_size=3), st.floats())),
        ),
    ),
    max_size=30,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk, junk)
def test_no_two_files_break_it(first: list[bytes], second: list[bytes]) -> None:
    """Each is compared, or refused in one sentence."""
    for name, content in (("a.jsonl", first), ("b.jsonl", second)):
        Path(name).write_bytes(b"\n".join(content))

    assert main(["diff", "a.jsonl", "b.jsonl"]) in (0, 2)
    assert main(["diff", "a.jsonl", "b.jsonl", "--json", "--by", "@a"]) in (0, 2)
