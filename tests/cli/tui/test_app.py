"""The screen of ``dam-obs view --tui``, through its keys."""

from __future__ import annotations

import re

import pytest

from dam_obs.cli._tui import rows

EVIL = "[bold red]x[/] [link=https://evil.test]y[/link] \x1b[2J\x1b]0;owned\x07 \u202etxt [/nothing] [@click=quit]z[/]"


@pytest.fixture
def turns(event):
    """Two traces: the older failed deep down, the newer was blocked."""
    return [
        event("mem_1", "foc_1", hrm_layer="memory", operation="write", timestamp="2026-01-13T14:00:02+00:00",
              status="error", duration_ns=3_000_000, metadata={"error.type": "DiskFull", "tier": "cold"}),
        event("foc_1", "alt_1", hrm_layer="focus", operation="gate_check", timestamp="2026-01-13T14:00:01+00:00"),
        event("alt_1", duration_ns=5_000_000),
        event("foc_2", "alt_2", hrm_layer="focus", operation="gate_check", status="blocked",
              timestamp="2026-01-13T14:05:01+00:00"),
        event("alt_2", timestamp="2026-01-13T14:05:00+00:00", duration_ns=45_000_000),
    ]  # fmt: skip


def test_newest_trace_is_first_and_shown(turns, on_screen):
    """With when it began, its root, how long it took, how many events it has, and how they ended."""

    async def steps(screen):
        assert screen.traces == ["alt_2", "alt_1"]
        lines = [re.sub(" +", " ", line).strip() for line in screen.text().splitlines()]
        assert "2026-01-13 14:05:00 alt.transition L3→L2 → success 45 ms 2 1⊘" in lines
        assert "2026-01-13 14:00:00 alt.transition L3→L2 → success 5 ms 3 1✗" in lines
        await screen.until(lambda: screen.chosen == "alt_2")

    on_screen(turns, steps)


def test_keys_are_at_the_bottom(turns, on_screen):
    """Also on the smallest screen."""

    async def steps(screen):
        bottom = re.sub(" +", " ", screen.text().splitlines()[-1]).strip()
        assert bottom == "/ Filter p Parent e Error E Previous c Copy z Zoom ? Help q Quit"

    on_screen(turns, steps)


def test_filter_as_you_type(turns, on_screen):
    """The list narrows to traces with an event that fits; the first such event is chosen."""

    async def steps(screen):
        await screen.press("slash")
        await screen.type("@data.tier:cold")
        await screen.until(lambda: screen.traces == ["alt_1"])
        await screen.until(lambda: screen.chosen == "mem_1")
        assert screen.said == "1 event in 1 trace fit"

        await screen.press("ctrl+u")
        await screen.until(lambda: screen.traces == ["alt_2", "alt_1"])
        assert screen.said == "5 events in 2 traces"

    on_screen(turns, steps)


def test_wrong_filter_says_where_and_keeps_what_was_found(turns, on_screen):
    """The column is that of what is wrong, and the list is the one of the last right filter."""

    async def steps(screen):
        await screen.press("slash")
        await screen.type("layer:memory")
        await screen.until(lambda: screen.traces == ["alt_1"])
        screen.app.query_one("#filter").value += " status:eror"  # at once: who pauses at "st" is shown what has "st"
        await screen.until(lambda: "column 21: unknown status 'eror'" in screen.said)
        assert screen.traces == ["alt_1"]

    on_screen(turns, steps)


def test_first_filter_comes_from_the_command_line(turns, on_screen):
    """It stands in the field, and a wrong one can be mended there."""

    async def steps(screen):
        await screen.until(lambda: screen.traces == ["alt_2"])
        assert "status:blocked" in screen.text()

    on_screen(turns, steps, filter_text="status:blocked")

    async def wrong(screen):
        await screen.until(lambda: "column 8" in screen.said)
        assert screen.traces == ["alt_2", "alt_1"]

    on_screen(turns, wrong, filter_text="status:bloked")


def test_the_last_filter_wins(turns, on_screen, monkeypatch):
    """An answer to an earlier filter that comes late changes nothing."""
    import threading

    begun, finished, go_on = threading.Event(), threading.Event(), threading.Event()
    real = rows.find

    def slow(all_rows, wanted, given_up):
        found = real(all_rows, wanted, lambda: False)
        if wanted.text == "status:error":
            begun.set()
            go_on.wait(10)
            finished.set()
        return found

    monkeypatch.setattr("dam_obs.cli._tui.app.find", slow)

    async def steps(screen):
        screen.app.query_one("#filter").value = "status:blocked"
        await screen.until(lambda: screen.traces == ["alt_2"])
        screen.app._find(screen.app._newest, rows_filter("status:error"), screen.app._asked)
        await screen.until(begun.is_set)  # one that is given up before it began would say nothing of late answers
        screen.app.query_one("#filter").value = "layer:focus"
        await screen.until(lambda: screen.traces == ["alt_2", "alt_1"])
        go_on.set()
        await screen.until(finished.is_set)
        await screen.pilot.pause(0.1)
        assert screen.traces == ["alt_2", "alt_1"]

    on_screen(turns, steps)


def rows_filter(text):
    from dam_obs.store.filter import parse_filter

    return parse_filter(text)


def test_typed_letters_are_text_and_no_keys(turns, on_screen):
    """q, p, e and ? in the field do nothing else than to stand there."""

    async def steps(screen):
        await screen.press("slash", "q", "p", "e", "E", "c", "z", "question_mark", "slash")
        assert screen.app.query_one("#filter").value == "qpeEcz?/"
        await screen.press("escape")
        assert screen.app.focused is screen.app.query_one("#traces")

    on_screen(turns, steps)


def test_errors_are_gone_to_across_traces(turns, on_screen):
    """`e` goes on to the next trace that has one, `E` comes back, and the end is said."""

    async def steps(screen):
        await screen.press("e")
        await screen.until(lambda: screen.chosen == "mem_1")
        await screen.press("e")
        assert screen.chosen == "mem_1"
        assert "no more errors" in screen.text()

    on_screen(turns, steps)


def test_previous_error_is_the_last_one_of_the_trace_above(event, on_screen):
    """From the first failed event of a trace `E` goes to the last one of the trace above it."""
    events = [
        event("a1", timestamp="2026-01-13T14:05:00+00:00"),
        event("a2", "a1", status="error", timestamp="2026-01-13T14:05:01+00:00"),
        event("a3", "a1", status="error", timestamp="2026-01-13T14:05:02+00:00"),
        event("b1", status="error"),
    ]

    async def steps(screen):
        for key, handle in (("e", "a2"), ("e", "a3"), ("e", "b1"), ("E", "a3"), ("E", "a2")):
            await screen.press(key)
            await screen.until(lambda handle=handle: screen.chosen == handle)

    on_screen(events, steps)


def test_parent_of_the_chosen_event(turns, on_screen):
    """`p` goes up one event, also where that is out of sight, and says when there is none."""

    async def steps(screen):
        await screen.press("e")
        await screen.until(lambda: screen.chosen == "mem_1")
        await screen.press("p")
        assert screen.chosen == "foc_1"
        await screen.press("p")
        assert screen.chosen == "alt_1"
        await screen.press("p")
        assert screen.chosen == "alt_1"
        assert "this is the root" in screen.text()

    on_screen(turns, steps)


def test_parent_that_is_not_there(event, on_screen):
    """It is said which one it is, safe to print."""

    async def steps(screen):
        assert "[its parent is not here]" in screen.text()
        await screen.press("p")
        await screen.until(lambda: "its parent gone[b]\\x1b is not" in screen.text())

    on_screen([event("alt_1", "gone[b]\x1b")], steps)


def test_details_have_every_field_and_all_data(event, on_screen):
    """Data is laid out, text with line breaks keeps them."""
    everything = event(
        "alt_1", duration_ns=5_000_000, otel_trace_id="0" * 31 + "1", otel_span_id="0" * 15 + "2", pid=4711,
        metadata={"tier": "cold", "plan": {"steps": ["look", {"deep": True}]}, "error": "first\nsecond"},
        io={"read_bytes": 4096}, code={"function": "m:f", "line": 7},
    )  # fmt: skip

    async def steps(screen):
        words = [re.sub(" +", " ", line).strip() for line in screen.details.splitlines()]
        assert words == [
            "altitude.transition success 5 ms", 'tier: "cold"', "plan:", "steps:", '0: "look"', "1:", "deep: true",
            "error:", "first", "second", "trace_id alt_1", "timestamp 2026-01-13T14:00:00+00:00", "hrm_layer altitude",
            "operation transition", "component altitude.py", "input_summary L3→L2", "output_summary success",
            "duration_ms 5", "status success", "duration_ns 5,000,000 (5 ms)",
            "otel_trace_id 00000000000000000000000000000001", "otel_span_id 0000000000000002", "pid 4711", "kind span",
            "io", "read_bytes: 4096", "code", 'function: "m:f"', "line: 7",
        ]  # fmt: skip

    on_screen([everything], steps)


def test_text_from_a_trace_is_text(event, on_screen):
    """In every field, in the list, the tree, the details and what is copied: no markup, no control character."""
    evil = event(
        EVIL, "x" + EVIL, hrm_layer=EVIL, operation=EVIL, component=EVIL, input_summary=EVIL, output_summary=EVIL,
        metadata={EVIL: EVIL, "nested": {EVIL: [EVIL]}}, status="error", code={"function": EVIL},
    )  # fmt: skip

    async def steps(screen):
        await screen.press("c", "p")
        text = screen.text() + screen.details
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert screen.details.count("[bold red]x[/] [link=https://evil.test]y[/link] \\x1b[2J") >= 10
        assert "[@click=quit]z[/]" in screen.details
        assert screen.app.clipboard == EVIL.encode("unicode_escape").decode()

    on_screen([evil], steps, size=(200, 60))
    on_screen([evil], steps, size=(80, 24))


def test_huge_values_are_cut_and_it_is_said(event, on_screen):
    """A value of a million characters, a list of a million things, and data a thousand levels deep."""
    deep: object = 1
    for _ in range(300):
        deep = {"in": deep}
    events = [event("alt_1", metadata={"long": "x" * 1_000_000, "deep": deep, "many": list(range(1_000_000))})]

    async def steps(screen):
        assert "… 980,002 more characters" in screen.details
        assert screen.details.count("\n") <= 2_001
        assert "… and more: dam-obs view --jsonl shows all" in screen.details

    on_screen(events, steps)


def test_many_long_values_are_cut_and_it_is_said(event, on_screen):
    """All together they are no more than a person can scroll through."""
    events = [event("alt_1", metadata={f"k{n}": "x" * 19_000 for n in range(1_000)})]

    async def steps(screen):
        assert len(screen.details) < 230_000
        assert "… and more" in screen.details

    on_screen(events, steps)


def test_deep_tree_keeps_its_text(event, on_screen):
    """A thousand levels: the depth is a number where there is no room to indent."""
    events = [event(f"alt_{n}", f"alt_{n - 1}" if n else None, duration_ns=1000 - n) for n in range(1000)]

    async def steps(screen):
        await screen.press("tab", "end")
        await screen.until(lambda: screen.chosen == "alt_999")
        assert "999‥ └ alt.transition L3→L2 → success" in screen.text()

    on_screen(events, steps)


def test_fold_and_unfold(turns, on_screen):
    """A folded event says how many it hides; going to one of them opens it."""

    async def steps(screen):
        await screen.press("down", "enter", "space")
        assert "▸ 2 more" in screen.text()
        assert "mem.write" not in screen.text()
        await screen.press("e")
        assert screen.chosen == "mem_1"
        assert "▸" not in screen.text()

    on_screen(turns, steps)


@pytest.mark.parametrize("size", [(80, 24), (120, 24), (200, 60), (40, 12), (20, 5), (1, 1)])
def test_resize_keeps_what_is_chosen(turns, on_screen, size):
    """From any size to any other."""

    async def steps(screen):
        await screen.press("e")
        await screen.until(lambda: screen.chosen == "mem_1")
        await screen.pilot.resize_terminal(*size)
        await screen.pilot.pause()
        assert screen.chosen == "mem_1"
        await screen.pilot.resize_terminal(100, 30)
        await screen.pilot.pause()
        assert "mem.write" in screen.text()

    on_screen(turns, steps, size=(132, 40))


def test_wide_screen_has_the_list_beside_the_tree(turns, on_screen):
    """From 120 columns on."""

    async def steps(screen):
        assert screen.app.query_one("#traces").region.y == screen.app.query_one("#tree").region.y

    on_screen(turns, steps, size=(120, 30))


def test_handle_is_copied(turns, on_screen):
    """To where the terminal keeps it, and it is said."""

    async def steps(screen):
        await screen.press("c")
        assert screen.app.clipboard == "alt_2"
        await screen.until(lambda: "copied alt_2" in screen.text())

    on_screen(turns, steps)


def test_zoom_and_back(turns, on_screen):
    """A pane takes the whole screen."""

    async def steps(screen):
        await screen.press("tab", "tab", "z")
        assert screen.app.screen.maximized is screen.app.query_one("#details")
        await screen.press("escape")
        assert screen.app.screen.maximized is None

    on_screen(turns, steps)


def test_help_names_all_keys(turns, on_screen):
    """Whole on the smallest screen; any of its keys closes it."""

    async def steps(screen):
        await screen.press("question_mark")
        assert "Keys" in screen.text()
        assert "what began in the last ten minutes" in screen.text()
        await screen.press("q")
        assert "Keys" not in screen.text()
        await screen.press("q")
        assert not screen.app.is_running

    on_screen(turns, steps)


def test_light_and_dark(turns, on_screen, monkeypatch):
    """As the terminal says; `t` changes it."""
    monkeypatch.setenv("COLORFGBG", "0;15")

    async def steps(screen):
        assert screen.app.theme == "textual-light"
        await screen.press("t")
        assert screen.app.theme == "textual-dark"

    on_screen(turns, steps)


def test_what_was_not_loaded_is_said(turns, on_screen):
    """With the number that loads everything."""

    async def steps(screen):
        first = screen.text().splitlines()[0].split("  ")
        assert first[0].strip() == "trace.jsonl"
        assert first[-1] == "the newest 5 of 1,000,000 events; --last 1000000 loads all; 2 lines skipped"

    on_screen(turns, steps, size=(120, 24), in_source=1_000_000, skipped=2)


def test_nothing_to_show(on_screen):
    """An empty trace has an empty screen, on which all keys are harmless."""

    async def steps(screen):
        assert "there are no events yet" in screen.text()
        await screen.press("e", "E", "p", "c", "space", "enter", "space", "down", "up", "end", "z", "z", "t")
        await screen.press("slash", "a", "enter")
        assert screen.chosen is None

    on_screen([], steps)


def test_a_click_chooses(turns, on_screen):
    """A trace, and an event."""

    async def steps(screen):
        await screen.pilot.click("#traces", offset=(5, 2))
        await screen.until(lambda: screen.chosen == "alt_1")
        await screen.pilot.click("#tree", offset=(5, 3))
        await screen.until(lambda: screen.chosen == "mem_1")

    on_screen(turns, steps)
