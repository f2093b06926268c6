"""The notes that observed processes leave in a run folder: one ``processes/<pid>.json`` each."""

from __future__ import annotations

import msgspec

from dam_obs.store.runs import RunFolder
from dam_obs.trace.process import ProcessNote

_decoder = msgspec.json.Decoder(ProcessNote)


def read_processes(run: RunFolder) -> list[ProcessNote]:
    """
    Return the notes of all processes of `run`, by when they started.

    A note that is half-written or gone meanwhile is left out: the process may still run.
    """
    notes = []
    for path in sorted(run.processes.glob("*.json")):
        try:
            notes.append(_decoder.decode(path.read_bytes()))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            continue
    return sorted(notes, key=lambda note: (note.started_ns, note.pid))
