"""
The executions of a run that a `calculate_traits` can be asked about: those whose command was recorded.

A system is a component. Where one was seen at work in several operations, its executions are
those of the operation that named a command most often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from dam_obs.draft.names import is_public_name
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import Scalar, Status, TraceEvent

MOST_EXECUTIONS: Final = 20_000
"""Of one system; of more, so many are taken, evenly over the run."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One recorded execution."""

    handle: str
    status: Status
    duration_ns: int
    features: Mapping[str, Scalar]
    cpu_ns: int | None
    run_queue_ns: int | None
    touched: Mapping[str, Sequence[str]]
    """As in `TraceEvent.touched`."""
    start_ns: int | None = None
    """On the clock of its machine; `None`: not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSystem:
    """The executions of one system."""

    system: str
    operation: tuple[str, str]
    """Layer and operation."""
    command_type: str
    """``module:qualname``, the one seen most."""
    executions: tuple[Execution, ...]
    seen: int
    """How many there were."""

    @property
    def takes_dict(self) -> bool:
        """Whether its commands are plain dictionaries."""
        return self.command_type == "builtins:dict"

    def succeeded(self) -> tuple[Execution, ...]:
        """Return the executions whose time says something of the work."""
        return tuple(each for each in self.executions if each.status == "success")

    def not_rebuilt(self) -> list[str]:
        """Name the features that are no fields of a command by their names, and so are left out of a rebuilt one."""
        names = {name for each in self.executions for name in each.features}
        return sorted(name for name in names if not _is_field(name))


@dataclass(slots=True)
class _Gathered:
    """The executions of one operation, in bounded room: of very many every second, fourth, eighth... is kept."""

    commands: Counter[str] = field(default_factory=Counter)
    kept: list[Execution] = field(default_factory=list)
    seen: int = 0
    _every: int = 1

    def add(self, event: TraceEvent, command: str) -> None:
        self.commands[command] += 1
        if self.seen % self._every == 0:
            self.kept.append(_execution(event))
        self.seen += 1
        if len(self.kept) == 2 * MOST_EXECUTIONS:
            self.kept = self.kept[::2]
            self._every *= 2


def recorded_systems(run: RunFolder) -> dict[str, RecordedSystem]:
    """
    Return the systems of `run` whose commands were recorded, by name.

    Raises:
        NoTraceFound, NotATrace: There are no events.
    """
    gathered: dict[str, dict[tuple[str, str], _Gathered]] = {}
    for event in read_events(run.trace):
        if event.kind == "span" and event.command:
            operations = gathered.setdefault(event.component, {})
            one = operations.setdefault((event.hrm_layer, event.operation), _Gathered())
            one.add(event, event.command)
    return {system: _most_seen(system, operations) for system, operations in sorted(gathered.items())}


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many items, drawn evenly."""
    if len(items) <= most:
        return list(items)
    return [items[number * len(items) // most] for number in range(most)]


def _execution(event: TraceEvent) -> Execution:
    duration = event.duration_ns if event.duration_ns is not None else event.duration_ms * 1_000_000
    return Execution(
        handle=event.trace_id,
        status=event.status,
        duration_ns=max(duration, 0),
        features=event.features or {},
        cpu_ns=event.cpu_ns,
        run_queue_ns=(event.io or {}).get("run_queue_ns"),
        touched=event.touched or {},
        start_ns=event.start_mono_ns,
    )


def _most_seen(system: str, operations: Mapping[tuple[str, str], _Gathered]) -> RecordedSystem:
    operation, one = max(operations.items(), key=lambda item: (item[1].seen, item[0]))
    return RecordedSystem(
        system=system,
        operation=operation,
        command_type=_first_of(one.commands),
        executions=tuple(evenly(one.kept, MOST_EXECUTIONS)),
        seen=one.seen,
    )


def _first_of(counts: Counter[str]) -> str:
    return min(counts, key=lambda name: (-counts[name], name))


def _is_field(feature: str) -> bool:
    path = feature[4:-1] if feature.startswith("len(") and feature.endswith(")") else feature
    return all(map(is_public_name, path.split(".")))


def unique_features(executions: Iterable[Execution]) -> tuple[list[Mapping[str, Scalar]], list[int]]:
    """Return the distinct commands of executions, and for each execution which of them is its own."""
    places: dict[str, int] = {}
    commands: list[Mapping[str, Scalar]] = []
    which = []
    for each in executions:
        key = repr(sorted(each.features.items(), key=lambda item: item[0]))
        if key not in places:
            places[key] = len(commands)
            commands.append(each.features)
        which.append(places[key])
    return commands, which
