"""
How much of a pool was in use at once: the capacity that a run has seen of it.

A pool's unit is one execution: it uses one connection, one program, one file at a time on
its thread. So the executions, of all systems, that use a pool and were in flight at once are
what it held at least. A system counts as a user with all of its executions, if more than an
accident of them touched the pool: when within an execution it did is not known.

Which pool a resource belongs to is `pools`; what a system takes of it, `traits`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from dam_obs.diagnose import times, touched
from dam_obs.diagnose.evidence import SystemEvidence
from dam_obs.diagnose.pools import Pools
from dam_obs.diagnose.report import DeviceBytes, Peer, Process

MIN_TOUCHED_SHARE: Final = 0.02
"""Of a system's executions; what fewer touched was an accident, such as an import."""


def note_capacities(systems: Iterable[SystemEvidence], pools: Pools) -> None:
    """Tell `pools` how many executions used each of them at once, at most."""
    users: dict[str, list[SystemEvidence]] = {}
    for system in systems:
        for pool in _used(system, pools):
            users.setdefault(pool, []).append(system)
    for pool, using in users.items():
        starts = np.concatenate([system.column("start_ns") for system in using])
        durations = np.concatenate([system.column("duration_ns") for system in using])
        pools.at_once[pool] = times.concurrency(starts, durations)[0]


def _used(system: SystemEvidence, pools: Pools) -> set[str]:
    rows: tuple[DeviceBytes | Peer | Process, ...] = (
        *touched.devices(system.touched, pools),
        *touched.peers(system.touched, pools),
        *touched.processes(system.touched, pools),
    )
    return {row.pool for row in rows if row.executions >= max(1, MIN_TOUCHED_SHARE * len(system))}
