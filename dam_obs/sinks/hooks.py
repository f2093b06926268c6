"""Hand events to plugins: those that implement ``dam_obs_event``."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from dam_obs.plugins import call_each
from dam_obs.trace.events import FinishedSpan


class HookSink:
    """Calls the hook once for each event; one plugin's fault is not another's."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Hand over a batch, one by one and in order."""
        if not self._manager.hook.dam_obs_event.get_hookimpls():
            return
        for span in batch:
            call_each(self._manager, "dam_obs_event", event=span.event)

    def flush(self, timeout: float) -> None:
        """Do nothing: nothing is held back."""

    def close(self, timeout: float) -> None:
        """Do nothing: what plugins hold is theirs."""
