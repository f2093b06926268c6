"""How many executions used a pool at once: of all systems, as far as the run has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import SystemDiagnosis
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]
MakeRun = Callable[..., RunFolder]

MS = 1_000_000
PEER = {"peers": ["db:1"]}


@pytest.fixture
def systems(run: MakeRun, event: MakeEvent) -> Callable[..., dict[str, SystemDiagnosis]]:
    """Diagnose executions: name, when they start and end in ms, what they touched."""

    def make(*executions: tuple[str, int, int, dict[str, Any] | None]) -> dict[str, SystemDiagnosis]:
        made = [
            event(component=name, start_mono_ns=start * MS, duration_ns=(end - start) * MS, touched=touched)
            for name, start, end, touched in executions
        ]
        return {one.system: one for one in build_report(run(*made)).systems}

    return make


@pytest.mark.parametrize(
    ("executions", "at_once"),
    [
        ([("a", 0, 5, PEER), ("a", 5, 9, PEER)], 1),
        ([("a", 0, 5, PEER), ("a", 4, 9, PEER)], 2),
        ([("a", 0, 5, PEER), ("b", 4, 9, PEER), ("a", 4, 6, PEER)], 3),
        ([("a", 0, 5, PEER), ("b", 4, 9, {"peers": ["cache:1"]}), ("c", 4, 9, None)], 1),
        ([("a", 0, 5, PEER), ("a", 4, 6, None)], 2),
        ([("a", 0, 9, PEER), *(("b", n, n + 5, PEER if n == 60 else None) for n in range(0, 600, 10))], 1),
    ],
    ids=["in turn", "at once", "of two systems", "others elsewhere", "a user now and then", "an accident of another"],
)
def test_what_a_pool_held_is_told(systems: Any, executions: list[Any], at_once: int) -> None:
    """With each system that uses it, and as evidence for its trait."""
    found = systems(*executions)["a"]

    assert [peer.at_once for peer in found.peers] == [at_once]
    plural = "" if at_once == 1 else "s"
    (trait,) = (trait for trait in found.traits if trait.trait == "ResourceUsageTrait")
    assert f"At most {at_once} execution{plural} used net/db:1 at once: the capacity seen." in trait.evidence
    assert trait.arguments == {"pool_path": "net/db:1", "amount": 1}


def test_devices_and_programs_have_a_capacity_too(systems: Any) -> None:
    """Whatever becomes a pool."""
    touched = {"files_read": ["/data/x"], "processes": ["gzip"]}
    found = systems(("a", 0, 5, touched), ("b", 1, 4, touched))["b"]

    assert ([use.at_once for use in found.devices], [use.at_once for use in found.processes]) == ([2], [2])


def test_every_trait_has_evidence_and_a_rival(systems: Any) -> None:
    """But for waiting that is known to be I/O: there no other reading is left."""
    found = systems(*(("a", n * 10, n * 10 + 5, {**PEER, "processes": ["gzip"]}) for n in range(50)))["a"]

    assert all(trait.evidence and trait.rival for trait in found.traits)
