"""Where time went: what was awaited, what nothing covers, and how many ran at a time, in words and as bars."""

from __future__ import annotations

import pytest

from dam_obs.diagnose.page.describe_where import where_view
from dam_obs.diagnose.report import TimeSplit
from dam_obs.diagnose.report_where import AwaitedPlace, Gaps, InFlight

MS = 1_000_000
SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
def split():
    return TimeSplit(
        wall_ns=100 * MS, on_cpu_ns=0, run_queue_ns=0, block_io_ns=0, awaiting_ns=80 * MS, other_ns=20 * MS,
        measured=4, awaiting={"lock": 60 * MS, "short": 20 * MS},
    )  # fmt: skip


@pytest.fixture
def place():
    return AwaitedPlace(
        kind="network", what="asyncio.streams:StreamReader.readline", by="app:Fetch.run", file="/srv/app.py", line=7,
        wait_ns=5, share=0.25, times=3, executions=2, about=["db:5432"],
    )  # fmt: skip


def test_kinds_are_shares_of_the_awaiting(system, split):
    """Each kind with its bar; where only some executions were named, that is told."""
    view = where_view(system(time=split, awaited_named=3))

    assert [(one.label, one.width, one.share, one.time) for one in view.awaited] == [
        ("lock", 75.0, "75%", f"60{SPACE}ms"),
        ("short", 25.0, "25%", f"20{SPACE}ms"),
    ]
    assert view.awaited_note == "Projected from 3 of 4 executions, whose waits were named."


def test_places_are_a_table(system, split, place):
    """What was awaited, by whom, at which line, and the peer; that column is there where one is known."""
    named, nameless = (
        where_view(system(time=split, awaited=[one])).places for one in (place, place.model_copy(update={"about": []}))
    )

    assert named.rows == [
        ["network: asyncio.streams:StreamReader.readline", "Fetch.run", "app.py:7", "25%", "3", "db:5432"]
    ]
    assert [len(table.columns) for table in (named, nameless)] == [6, 5]


def test_gaps_add_up_to_the_whole(system):
    """Covered and not, the latter by what it was; what was not measured has no row."""
    gaps = Gaps(
        executions=2, wall_ns=100, uncovered_ns=40, on_cpu_ns=10, awaiting_ns=25, other_ns=5, longest_ns=20 * MS
    )
    view = where_view(system(gaps=gaps))
    plain = where_view(system(gaps=gaps.model_copy(update={"on_cpu_ns": None, "awaiting_ns": None, "other_ns": 40})))

    assert [(one.label, one.width) for one in view.gaps] == [
        ("covered", 60.0), ("own CPU", 10.0), ("awaiting", 25.0), ("not known", 5.0),
    ]  # fmt: skip
    assert [(one.label, one.width) for one in plain.gaps] == [("covered", 60.0), ("not known", 40.0)]
    assert view.gaps_note == (
        f"Of the 2 executions that started something. The longest stretch that nothing covers is 20{SPACE}ms."
    )


def test_flight_is_drawn_to_its_own_height(system):
    """The highest part of the run fills the drawing; the sentence says what it is."""
    flight = where_view(system(in_flight=InFlight(bucket_ns=10 * MS, mean=[0.0, 2.0, 1.0]))).flight

    assert (flight.path, flight.box) == ("M0 24V24.0H1V0.0H2V12.0H3V24Z", "0 0 3 24")
    assert (flight.highest, flight.lasted) == ("2", f"30{SPACE}ms")


def test_what_is_not_known_is_not_there(system):
    """An older report, or a run that was not measured: nothing of it is shown."""
    view = where_view(system())

    assert (view.awaited, view.places, view.gaps, view.flight) == ([], None, [], None)
