"""A week of a busy fleet is a query: what is read does not stay in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FEW, MANY = 10_000, 60_000
ROOM_MB = 40
"""The spans between `FEW` and `MANY` take some 150 MB where they are held."""

START_S = 1_768_312_800

BRING = """
import sys
from pathlib import Path
from dam_obs.store.backend import backend_events
from dam_obs.store.remote import bringing
from dam_obs.store.remote.query import Query
from dam_obs.store.runs import RunFolder
bringing.FILE_BYTES = 4 * 1024 * 1024
run, query = RunFolder(Path(sys.argv[2])), Query(since_ns=1, until_ns=2**62)
run.path.mkdir()
manifest = bringing.bring(backend_events(sys.argv[1], query), run, run_id="r", uri=sys.argv[1], query=query)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(manifest.source.spans, int(status["VmHWM"].split()[0]) // 1024)  # what getrusage says begins with who started us
"""


def peak_mb(uri: str, folder: Path, spans: int) -> int:
    """Bring everything into a run folder; return the most memory that this ever took."""
    done = subprocess.run(
        [sys.executable, "-c", BRING, uri, folder], capture_output=True, text=True, timeout=300, check=True
    )
    found, peak = map(int, done.stdout.split())
    assert found == spans
    assert list((folder / "trace.closed").glob("*.parquet"))
    return peak


def lines(spans: int) -> Iterator[bytes]:
    for first in range(0, spans, 500):
        group = {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "fleet"}}]},
            "scopeSpans": [{"spans": [_span(number) for number in range(first, first + 500)]}],
        }
        yield json.dumps({"resourceSpans": [group]}).encode() + b"\n"


def _span(number: int) -> dict[str, object]:
    start = (START_S * 1000 + number) * 1_000_000
    return {
        "traceId": f"{number + 1:032x}", "spanId": f"{number + 1:016x}", "name": "work",
        "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 5_000_000),
        "attributes": [{"key": f"name.{each}", "value": {"stringValue": f"{number} {each}" * 4}} for each in range(8)],
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_files_of_any_length_take_the_same_memory(tmp_path: Path) -> None:
    """Six times as many spans."""
    peaks = []
    for spans in (FEW, MANY):
        path = tmp_path / f"{spans}.json"
        with path.open("wb") as file:
            file.writelines(lines(spans))
        peaks.append(peak_mb(f"otlp-file:{path}", tmp_path / f"run-{spans}", spans))

    assert peaks[1] - peaks[0] < ROOM_MB


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_tables_of_any_length_take_the_same_memory(
    reading_back: ModuleType, clickhouse_server: ModuleType, tmp_path: Path
) -> None:
    """The database sorts, piece by piece; rows go through."""
    columns = clickhouse_server.SCHEMAS["maps"]
    given = ", ".join(name for name in columns if name in clickhouse_server.NEEDED)
    attributes = ", ".join(f"'name.{each}', repeat(toString(number), 8)" for each in range(8))
    peaks = []
    with (
        clickhouse_server.database(tmp_path / "data") as database,
        reading_back.serving(clickhouse_server.handler(database)) as address,
    ):
        for spans in (FEW, MANY):
            database.table(f"otel.t{spans}", columns)
            database.session.query(
                f"INSERT INTO otel.t{spans} ({given}) SELECT "
                f"fromUnixTimestamp64Milli(toInt64({START_S}) * 1000 + number * 10), "
                "leftPad(lower(hex(number + 1)), 32, '0'), leftPad(lower(hex(number + 1)), 16, '0'), '', 'work', "
                f"'fleet', map('service.name', 'fleet'), map({attributes}), 5000000, 'Unset', '' FROM numbers({spans})"
            )
            uri = f"clickhouse://{address}/otel?table=t{spans}&at_once=5000"
            peaks.append(peak_mb(uri, tmp_path / f"run-{spans}", spans))

    assert peaks[1] - peaks[0] < ROOM_MB
