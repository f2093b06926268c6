"""The pages on filters and statistics say what holds."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from dam_obs.cli.stats import command
from dam_obs.store.filter import BadFilter, parse_filter
from dam_obs.store.filter.fields import FIELDS
from dam_obs.store.filter.values import UNITS_NS
from dam_obs.trace.events import TraceEvent

DOCS = Path(__file__).parents[2] / "docs"
FILTER_PAGE = (DOCS / "filter.md").read_text(encoding="utf-8")
STATS_PAGE = (DOCS / "stats.md").read_text(encoding="utf-8")

EXAMPLES = [
    example
    for row in re.findall(r"^\| (`.*?) \|", FILTER_PAGE, re.MULTILINE)
    for example in re.findall(r"`([^`]+)`", row)
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_of_a_filter_is_one(example: str) -> None:
    """As it stands on the page."""
    assert not parse_filter(example).is_everything


def test_the_grammar_names_all_fields_and_units() -> None:
    """And none besides."""
    (grammar,) = re.findall(r"^field +=(.*)$", FILTER_PAGE, re.MULTILINE)
    (units,) = re.findall(r"\*\*Durations\*\* have a unit:(.*?)\. ", FILTER_PAGE)

    assert re.findall(r'"(\w+)"', grammar) == list(FIELDS)
    assert set(re.findall(r"`(\w+)`", units)) == set(UNITS_NS) - {"μs"}  # the Greek letter looks the same


def test_the_error_on_the_page_is_the_error() -> None:
    """With the text and the place below it."""
    shown = FILTER_PAGE.split("$ dam-obs view -f 'gate stauts:error'\n")[1].split("\n```")[0]
    with pytest.raises(BadFilter) as refused:
        parse_filter("gate stauts:error")

    assert shown.splitlines() == [f"dam-obs: error: {refused.value}", *(f"  {line}" for line in refused.value.excerpt)]


def run_of_the_seed() -> list[TraceEvent]:
    """A thousand events of three layers over a minute."""
    begin = datetime(2026, 1, 13, 15, 0, tzinfo=UTC)

    def make(number: int, layer: str, operation: str, ms: int, **fields: Any) -> TraceEvent:
        second = (number * 60) // 1000 if number % 3 else (number * number * 60) // 1_000_000
        plain: dict[str, Any] = {
            "trace_id": f"{layer[:3]}_1768316{400 + second}_{number:04x}", "parent_id": None,
            "timestamp": (begin + timedelta(seconds=second)).isoformat(), "hrm_layer": layer,
            "operation": operation, "component": f"{layer}.py", "input_summary": "", "output_summary": "",
            "duration_ms": ms, "status": "success", "metadata": {},
        }  # fmt: skip
        return TraceEvent(**(plain | fields))

    events = [make(n, "memory", "read" if n % 2 else "write", 1 + n % 3) for n in range(1000)]
    for n in range(0, 1000, 7):
        events[n] = make(n, "altitude", "evaluate" if n % 2 else "transition", 3 + n % 10)
    for n in range(1, 1000, 3):
        events[n] = make(n, "focus", "gate_check", 1 + n % 5, status="blocked" if n % 40 == 1 else "success")
    events[302] = make(302, "altitude", "transition", 45, input_summary="L4→L2", metadata={"reason": "skip"})
    events[605] = make(605, "memory", "write", 23, metadata={"reason": "cold tier archive"})
    events[770] = make(770, "altitude", "transition", 9, status="error")
    return events


def test_the_output_on_the_page_is_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal of a hundred columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("trace.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(run_of_the_seed()))
    shown = STATS_PAGE.split("```text\n$ dam-obs stats --slowest 2\n")[1].split("\n```")[0]
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        printed = CliRunner().invoke(command, ["--slowest", "2"], catch_exceptions=False).stdout
    time.tzset()

    assert [line.rstrip() for line in printed.splitlines()] == shown.splitlines()
