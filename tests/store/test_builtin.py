from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.plugins import call_first, plugin_manager
from dam_obs.store.remote.query import EVERYTHING
from dam_obs.trace.events import TraceEvent


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "file://localhost{path}"])
def test_dam_obs_trace_source(
    tmp_path: Path, event: Callable[..., TraceEvent], write: Callable[..., Path], form: str
) -> None:
    """A plain file comes through the same hook as a plugin's backend."""
    path = write(tmp_path / "trace.jsonl", event("sys_1_0001"))

    events = call_first(
        plugin_manager("analysis"), "dam_obs_trace_source", uri=form.format(path=path), query=EVERYTHING
    )

    assert list(events) == [event("sys_1_0001")]


@pytest.mark.parametrize("uri", ["tempo://host/service", "file://elsewhere/trace.jsonl", "missing.jsonl"])
def test_other_uris_are_left_to_others(uri: str) -> None:
    """What is no file here is not ours to read."""
    assert call_first(plugin_manager("analysis"), "dam_obs_trace_source", uri=uri, query=EVERYTHING) is None
