"""
Check trace points against code and against events.

Are the targets there, and do events carry what was promised? For ``dam-obs points
check``. Modules are imported for it, so it runs the host's code; nothing is attached.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dam_obs.points.arguments import Parameters
from dam_obs.points.model import DataField, FunctionName, Target, TracePoint, TracePointFile
from dam_obs.points.places import NotAttachable, find_place
from dam_obs.points.reading import compile_reader
from dam_obs.trace.events import TraceEvent

_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,)}


def applies(file: TracePointFile) -> bool:
    """Say whether what the file's points belong to is installed here."""
    if file.requires is None:
        return True
    try:
        return importlib.util.find_spec(file.requires) is not None
    except ModuleNotFoundError:
        return False


def target_problems(file: TracePointFile) -> Iterator[str]:
    """Yield a sentence for every target that is not there and every path that can find nothing at it."""
    for point in file.points:
        for target in point.targets:
            if isinstance(target.place, FunctionName):
                for says in _function_problems(point, target, target.place):
                    yield f"{file.path}: {says}"


def _function_problems(point: TracePoint, target: Target, name: FunctionName) -> Iterator[str]:
    try:
        module = importlib.import_module(name.module)
        place = find_place(module, name.qualname)
    except NotAttachable as error:
        yield f"{point.name} at {name}: {error}"
    except ModuleNotFoundError as error:
        yield f"{point.name} at {name}: there is no module {error.name}"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody's module may raise anything when it is imported
        yield f"{point.name} at {name}: {name.module} does not import ({type(error).__name__}: {error})"
    else:
        yield from compile_reader(point, target, Parameters(place.function, is_method=place.is_method))[1]


@dataclass
class _Tally:
    """What the events of one point carried."""

    events: int = 0
    finished: int = 0
    absent: Counter[str] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)


def event_problems(points: Iterable[TracePoint], events: Iterable[TraceEvent]) -> Iterator[str]:
    """
    Yield a sentence for every piece of data that events lack or carry with another type.

    Events that failed may lack what is read from a result, so only finished ones are held to it; nor is any held to
    data that some of its point's targets read and others do not.
    """
    known = {point.name: point for point in points}
    tallies = {name: _Tally() for name in known}
    for event in events:
        name = f"{event.hrm_layer}.{event.operation}"
        if name in known:
            _count(tallies[name], known[name], event)
    for name, tally in tallies.items():
        for data, number in tally.absent.items():
            yield f"{name}: {number} of {tally.finished} finished events carry no {data}"
        for (data, kind), number in tally.wrong.items():
            promised = next(each.type for each in known[name].data if each.name == data)
            yield f"{name}: in {number} of {tally.events} events {data} is {kind}, not {promised}"


def _count(tally: _Tally, point: TracePoint, event: TraceEvent) -> None:
    tally.events += 1
    is_finished = event.status != "error"
    tally.finished += is_finished
    for data in point.data:
        if data.name not in event.metadata:
            tally.absent[data.name] += is_finished and _is_promised(data, point)
        elif not _fits(data, event.metadata[data.name]):
            tally.wrong[data.name, type(event.metadata[data.name]).__name__] += 1
    tally.absent += Counter()  # drops the zeros


def _is_promised(data: DataField, point: TracePoint) -> bool:
    """Say whether every event of a point carries this data, wherever it was recorded."""
    return len({data.name in target.data for target in point.targets}) < 2


def _fits(data: DataField, value: object) -> bool:
    if value is None or (isinstance(value, str) and value.startswith("[redacted")):
        return True
    if isinstance(value, bool):
        return data.type == "bool"
    return isinstance(value, _TYPES[data.type])
