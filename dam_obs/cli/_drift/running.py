"""What `backtest` and `check` need of a run and of the user."""

from __future__ import annotations

from dam_obs.cli._base import NotOfARun
from dam_obs.store.find import Source
from dam_obs.store.runs import RunFolder


def run_of(source: Source) -> RunFolder:
    """
    Return the run folder of a source; a ``trace.jsonl`` by itself makes one of the folder it is in.

    Raises:
        NotOfARun: It is no file.
    """
    if source.run is not None:
        return source.run
    alone = RunFolder(source.trace.parent)
    if source.uri is not None or source.standard_input or alone.trace != source.trace:
        raise NotOfARun(source.name)
    return alone
