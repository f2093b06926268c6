"""What of a source comes onto the screen, from real files."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dam_obs.cli._tui.app import TraceApp
from dam_obs.cli._tui.load import OpenSource
from dam_obs.store.filter import parse_filter
from dam_obs.store.find import find_source


@pytest.fixture
def opened(tmp_path, event):
    """Two hundred traces of three events; every fiftieth failed, the first alone is cold. Thirty events are loaded."""
    events = []
    for turn in range(200):
        when = f"2026-01-13T14:{turn // 60:02d}:{turn % 60:02d}+00:00"
        status = "error" if turn % 50 == 0 else "success"
        tier = "cold" if turn == 0 else "warm"
        events += [
            event(f"mem_{turn}", f"foc_{turn}", hrm_layer="memory", timestamp=when, metadata={"tier": tier}),
            event(f"foc_{turn}", f"alt_{turn}", hrm_layer="focus", timestamp=when, status=status),
            event(f"alt_{turn}", timestamp=when),
        ]
    path = tmp_path / "trace.jsonl"
    path.write_bytes(msgspec.json.Encoder().encode_lines(events) + b"no event\n")
    with OpenSource(find_source(path), 30) as source:
        yield source


def roots(loaded):
    return [row.root.event.trace_id for row in loaded.rows]


def test_newest_whole_traces(opened):
    """As many as do not exceed the number, the newest first; the rest is counted."""
    loaded = opened.newest()

    assert roots(loaded) == [f"alt_{turn}" for turn in range(199, 189, -1)]
    assert (loaded.events, loaded.events_in_source, loaded.skipped, loaded.is_whole) == (30, 600, 1, False)
    assert set(loaded.layers) == {"memory", "focus", "altitude"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status:error", ["alt_150", "alt_100", "alt_50", "alt_0"]),
        ("@tier:cold", ["alt_0"]),
        ("layer:memory", [f"alt_{turn}" for turn in range(199, 189, -1)]),
        ("nothing_like_this", []),
    ],
)
def test_newest_traces_that_fit_out_of_all(opened, text, expected):
    """They come whole, and no more than the number."""
    loaded = opened.fitting(parse_filter(text))

    assert roots(loaded) == expected
    assert loaded.events == 3 * len(expected)


def test_closed_meanwhile(opened):
    """Who asks then gets no answer, and no error."""
    opened.newest()
    opened.close()

    assert opened.fitting(parse_filter("status:error")) is None


def test_enter_looks_in_the_whole_source(opened):
    """What is typed is tried on what was loaded; to type on goes back to that."""

    async def steps():
        app = TraceApp(opened.newest(), "", opened)
        async with app.run_test() as pilot:

            async def until(condition):
                for _ in range(500):
                    await pilot.pause(0.01)
                    if condition():
                        return
                raise AssertionError(said())

            def said():
                return str(app.query_one("#said").render())

            def shown():
                return [each.row.root.event.trace_id for each in app.query_one("#traces").found]

            await pilot.press("slash", *"status:error")
            await until(lambda: said() == "0 events in 0 traces fit; Enter looks in all 600 events")
            await pilot.press("enter")
            await until(lambda: said() == "4 events in 4 traces fit, of all 600 events")
            assert shown() == ["alt_150", "alt_100", "alt_50", "alt_0"]

            await pilot.press("slash", "ctrl+u", *"altitude")
            await until(lambda: len(shown()) == 10)
            assert said() == "30 events in 10 traces fit; Enter looks in all 600 events"

    asyncio.run(steps())
