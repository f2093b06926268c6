"""
Put trace points onto functions, and take them off again.

A target is resolved when its module has been imported: now, later, or again after a
reload. A target that is not there is told in the report and raises nothing. Detaching
puts back the very objects that were there; what somebody else has put over ours in the
meantime is left alone.

Hooks are `hosts`' business; which references go past a point, `escaped`'s.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

from dam_obs.points.arguments import Parameters
from dam_obs.points.conventions import standard_of
from dam_obs.points.escaped import escaped_references, module_references
from dam_obs.points.imports import ImportWatch
from dam_obs.points.model import FunctionName, Target, TracePoint, TracePointFile
from dam_obs.points.places import NotAttachable, Place, find_place, traced
from dam_obs.points.reading import compile_reader
from dam_obs.trace import faults
from dam_obs.trace.site import code_of, site

_GUARD: Final = faults.guard("points.attach")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """What became of one target of one point."""

    point: str
    target: str
    state: Literal["attached", "missing", "waiting"]
    """``missing``: not there, or no point can be put on it. ``waiting``: its module has not been imported."""
    says: str = ""
    """Why it is missing."""

    def __str__(self) -> str:
        return f"{self.point} at {self.target}" + (f": {self.says}" if self.says else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachReport:
    """What was attached, what was not, and what goes past it."""

    attached: tuple[TargetState, ...] = ()
    missing: tuple[TargetState, ...] = ()
    waiting: tuple[TargetState, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Data that a target can never have, and why."""
    escaped: tuple[str, ...] = ()
    """References taken before attaching: ``m:f is also held by other.f``."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One point on one place."""

    point: str
    target: FunctionName
    place: Place
    installed: Any


_records: dict[int, _Record] = {}
"""All that is attached in this process, by the `id` of what was stored: so a point is never put on a place twice."""

_covered: set[int] = set()
"""Of those, the ones whose attachment has closed while another's stood on top; they go when that one goes."""


class Attachment:
    """Trace points on functions, from `open` to `close`."""

    def __init__(self, files: Iterable[TracePointFile]) -> None:
        self._targets: dict[str, list[tuple[TracePoint, Target, FunctionName]]] = {}
        for point, target in _function_targets(files):
            name = target.place
            if isinstance(name, FunctionName):
                self._targets.setdefault(name.module, []).append((point, target, name))
        self._states: dict[tuple[str, str], TargetState] = {}
        self._unreadable: dict[str, None] = {}
        self._mine: list[_Record] = []
        self._watch = ImportWatch(self._targets, self._module_imported)

    def open(self) -> Attachment:
        """Attach to what is imported, and to the rest when it is."""
        self._watch.open()
        return self

    def close(self) -> None:
        """Detach; every function is again the object that it was."""
        self._watch.close()
        for record in reversed(self._mine):
            _take_off(record)
        self._mine.clear()
        self._states.clear()

    def __enter__(self) -> Attachment:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- attaching

    def _module_imported(self, module: ModuleType, name: str) -> None:
        for point, target, place in self._targets[name]:
            with _GUARD:
                self._attach(module, point, target, place)

    def _attach(self, module: ModuleType, point: TracePoint, target: Target, name: FunctionName) -> None:
        says = ""
        try:
            place = find_place(module, name.qualname)
            if not _is_attached(place, point.name):
                self._put(place, point, target, name)
        except NotAttachable as error:
            says = str(error)
        except (AttributeError, TypeError) as error:  # a class written in C, for instance, takes no attributes
            says = f"cannot be set: {error}"
        state = TargetState(point=point.name, target=str(name), state="missing" if says else "attached", says=says)
        self._states[(point.name, str(name))] = state

    def _put(self, place: Place, point: TracePoint, target: Target, name: FunctionName) -> None:
        function = place.function
        reader, unreadable = compile_reader(point, target, Parameters(function, is_method=place.is_method))
        self._unreadable.update(dict.fromkeys(unreadable))
        where = site(
            point.layer.code,
            point.operation,
            _component(place, name),
            level=point.level,
            code=code_of(function),
            own_threads=point.own_threads,
            fold_below_ns=point.fold_below_us * 1000,
            standard=standard_of(target.attributes),
        )
        installed = traced(place, where, reader)
        place.put(installed)
        record = _Record(point.name, name, place, installed)
        _records[id(installed)] = record
        self._mine.append(record)

    # -- telling

    def report(self, *, thorough: bool = False) -> AttachReport:
        """
        Tell what became of every target so far.

        Args:
            thorough: Look for escaped references in every container of the process, not in modules alone; slow.
        """
        self._watch.sweep()
        states = [self._state_of(point, name) for targets in self._targets.values() for point, _, name in targets]
        return AttachReport(
            attached=tuple(each for each in states if each.state == "attached"),
            missing=tuple(each for each in states if each.state == "missing"),
            waiting=tuple(each for each in states if each.state == "waiting"),
            unreadable=tuple(self._unreadable),
            escaped=tuple(self._escaped(escaped_references if thorough else module_references)),
        )

    def progress(self) -> tuple[int, ...]:
        """Return figures that change when there is something new to report."""
        return len(self._mine), len(self._states), len(self._unreadable)

    def _state_of(self, point: TracePoint, name: FunctionName) -> TargetState:
        state = self._states.get((point.name, str(name)))
        if state is not None:
            return state
        if _is_the_script(name.module):
            says = f"{name.module} is the script that is run itself: move the function into a module that it imports"
            return TargetState(point=point.name, target=str(name), state="missing", says=says)
        return TargetState(point=point.name, target=str(name), state="waiting")

    def _escaped(self, find: Callable[..., dict[int, list[str]]]) -> Iterator[str]:
        originals = {
            id(record.place.function): record for record in self._mine if id(record.place.stored) not in _records
        }
        functions = [record.place.function for record in originals.values()]
        for number, names in find(functions).items():
            record = originals[number]
            own = _own_names(record.place)
            for name in names:
                if name not in own:
                    yield f"{record.target} is also held by {name}"


def _take_off(record: _Record | None) -> None:
    """Put back what was there before, unless something else has been put on top; and what waited for that."""
    while record is not None:
        if record.place.now() is not record.installed:
            if any(other.place.stored is record.installed for other in _records.values()):
                _covered.add(id(record.installed))
            else:
                _records.pop(id(record.installed), None)
            return
        record.place.put_back()
        _records.pop(id(record.installed), None)
        _covered.discard(id(record.installed))
        below = _records.get(id(record.place.stored))
        record = below if below is not None and id(below.installed) in _covered else None


def _function_targets(files: Iterable[TracePointFile]) -> Iterator[tuple[TracePoint, Target]]:
    for file in files:
        for point in file.points:
            for target in point.targets:
                yield point, target


def _component(place: Place, name: FunctionName) -> str:
    """Name the target's class, or the function where there is none."""
    if isinstance(place.owner, type):
        return f"{name.module}:{name.qualname.rpartition('.')[0]}"
    return str(name)


def _is_the_script(module: str) -> bool:
    """Say whether a module's code runs as ``__main__``, which no finder ever sees, and not under its own name."""
    main = sys.modules.get("__main__")
    if module == "__main__":
        return True
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return bool(spec.name == module)
    # When a script has come to its end, Python takes its name away from it.
    file = getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else "")
    return isinstance(file, str) and Path(file).stem == module


def _is_attached(place: Place, point: str) -> bool:
    """Say whether the point is on the place already, or on the base that it is inherited from."""
    record = _records.get(id(place.stored))
    while record is not None:
        if record.point == point:
            return True
        record = _records.get(id(record.place.stored))
    return False


def _own_names(place: Place) -> tuple[str, ...]:
    """Name what holds the function rightly: for a method that is inherited, the base's namespace."""
    if not isinstance(place.owner, type):
        return ()
    return tuple(f"{kind.__module__}:{kind.__qualname__}.{place.name}" for kind in place.owner.__mro__)


def attach(files: Iterable[TracePointFile]) -> Attachment:
    """Attach all function targets of trace-point files; `Attachment.close` detaches."""
    return Attachment(files).open()


@contextmanager
def attached(files: Iterable[TracePointFile]) -> Iterator[Attachment]:
    """Attach for the time of a ``with`` block."""
    attachment = attach(files)
    try:
        yield attachment
    finally:
        attachment.close()
