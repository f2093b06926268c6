"""Whether a backend that is to be read from answers, and has what is wanted of it."""

from __future__ import annotations

from collections.abc import Iterator

from dam_obs.cli._checks.check import Check, Place
from dam_obs.errors import DamObsError

NAME = "source"


def check_source(place: Place) -> Iterator[Check]:
    """Look at the backend that was named, if one was; nothing is read of it but what it has."""
    if place.source is None:
        return
    try:
        says = _look(place.source)
    except DamObsError as error:
        says, _, remedy = str(error).rpartition(": ")
        yield Check(NAME, "broken", says, remedy)
    else:
        yield Check(NAME, "ok", f"{place.source}: {says}", f"see its newest with `dam-obs view --from {place.source}`")


def _look(uri: str) -> str:
    from dam_obs.store.backend import backend_events
    from dam_obs.store.remote.opening import maker_of
    from dam_obs.store.remote.query import Query

    make = maker_of(uri)
    if make is not None:
        return make(uri).look()
    for event in backend_events(uri, Query(newest=1)):
        return f"it has events, one of them at {event.timestamp}"
    return "it has no events yet"
