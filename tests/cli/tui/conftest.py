"""Traces on a screen that no one sees, with keys that no one presses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from dam_obs.cli._tui.app import TraceApp
from dam_obs.cli._tui.load import loaded
from dam_obs.cli._tui.panes import Details, TraceList, TraceTree
from dam_obs.trace.events import TraceEvent


@pytest.fixture
def event():
    """A maker of events: only the handle must be given."""

    def make(trace_id: str, parent_id: str | None = None, **fields: Any) -> TraceEvent:
        plain: dict[str, Any] = {
            "timestamp": "2026-01-13T14:00:00+00:00", "hrm_layer": "altitude", "operation": "transition",
            "component": "altitude.py", "input_summary": "L3→L2", "output_summary": "success", "duration_ms": 5,
            "status": "success", "metadata": {},
        }  # fmt: skip
        return TraceEvent(trace_id=trace_id, parent_id=parent_id, **(plain | fields))

    return make


class Screen:
    """A running application, as a user sees and uses it."""

    def __init__(self, app: TraceApp, pilot: Any) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.pilot.press(*text)

    async def until(self, condition: Callable[[], object]) -> None:
        for _ in range(500):
            await self.pilot.pause(0.01)
            if condition():
                return
        raise AssertionError(f"it did not come to that: {self.text()}")

    def text(self) -> str:
        """The whole screen as lines of text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    @property
    def traces(self) -> list[str]:
        """The handles of the roots in the list."""
        return [each.row.root.event.trace_id for each in self.app.query_one(TraceList).found]

    @property
    def chosen(self) -> str | None:
        """The handle of the event that is chosen."""
        node = self.app.query_one(TraceTree).chosen
        return None if node is None else node.event.trace_id

    @property
    def details(self) -> str:
        """The text about it, whole."""
        return str(self.app.query_one(Details).query_one("#details-text").render())

    @property
    def said(self) -> str:
        """The line below the filter."""
        return str(self.app.query_one("#said").render())


@pytest.fixture
def on_screen():
    """Show events on a screen, and run a test's steps on it."""

    def run(
        events: Sequence[TraceEvent],
        steps: Callable[[Screen], Awaitable[None]],
        *,
        size: tuple[int, int] = (80, 24),
        filter_text: str = "",
        **more: Any,
    ) -> None:
        async def whole() -> None:
            app = TraceApp(loaded("trace.jsonl", events, **more), filter_text)
            async with app.run_test(size=size, notifications=True) as pilot:
                await pilot.pause()
                await steps(Screen(app, pilot))

        asyncio.run(whole())

    return run
