"""What a collector's file exporter wrote, read back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import zstandard

from dam_obs.cli import main
from dam_obs.store.errors import NoTraceFound
from dam_obs.store.remote.errors import NothingThere
from dam_obs.store.remote.events import BackendEvents
from dam_obs.store.remote.opening import events_of
from dam_obs.store.remote.query import Query

Told = Callable[..., str]

START_NS = 1_768_312_800_000_000_000


def line(*numbers: int, service: str = "shop", **attributes: Any) -> bytes:
    """A request with spans that began so many seconds after `START_NS`."""
    spans = [
        {
            "traceId": f"{7:032x}",
            "spanId": f"{number + 1:016x}",
            "name": "work",
            "startTimeUnixNano": str(START_NS + number * 1_000_000_000),
            "endTimeUnixNano": str(START_NS + number * 1_000_000_000 + 5_000_000),
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
        }
        for number in numbers
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).encode()


def frame(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


def packed(message: bytes) -> bytes:
    return frame(zstandard.compress(message))


def read(path: object, query: Query | None = None) -> tuple[list[int], BackendEvents]:
    """Return when spans began, in seconds after `START_NS`, and how they were read."""
    events = events_of(f"otlp-file:{path}", query or Query())
    assert events is not None
    return [int(event.otel_span_id or "", 16) - 1 for event in events], events


def protobuf(message: bytes) -> bytes:
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    document = json.loads(message)
    for group in document["resourceSpans"]:
        for scoped in group["scopeSpans"]:
            for span in scoped["spans"]:
                del span["traceId"], span["spanId"]
    request = ParseDict(document, ExportTraceServiceRequest())
    for span, given in zip(
        request.resource_spans[0].scope_spans[0].spans,
        json.loads(message)["resourceSpans"][0]["scopeSpans"][0]["spans"],
        strict=True,
    ):
        span.trace_id, span.span_id = bytes.fromhex(given["traceId"]), bytes.fromhex(given["spanId"])
    return request.SerializeToString()


FORMS = {
    "lines": lambda messages: b"".join(message + b"\n" for message in messages),
    "lines, compressed whole by zstd": lambda messages: zstandard.compress(b"\n".join(messages) + b"\n"),
    "lines, compressed whole by gzip": lambda messages: gzip.compress(b"\n".join(messages) + b"\n"),
    "several zstd frames": lambda messages: b"".join(zstandard.compress(message + b"\n") for message in messages),
    "messages, each compressed": lambda messages: b"".join(map(packed, messages)),
    "protobuf": lambda messages: b"".join(frame(protobuf(message)) for message in messages),
    "protobuf, each compressed": lambda messages: b"".join(packed(protobuf(message)) for message in messages),
    "protobuf, compressed whole": lambda messages: zstandard.compress(
        b"".join(frame(protobuf(message)) for message in messages)
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_read_in_every_form_that_the_exporter_writes(tmp_path: Path, form: str) -> None:
    """Which one it is, its content tells."""
    path = tmp_path / "spans.json"
    path.write_bytes(FORMS[form]([line(0, 1), line(2)]))

    found, events = read(path)

    assert (found, events.account.notes, events.account.skipped.first) == ([0, 1, 2], [], None)


def test_rotated_files_come_before_the_one_that_is_written_to(tmp_path: Path) -> None:
    """As the exporter names them, with or without an end, compressed afterwards or not; others are none of it."""
    (tmp_path / "spans.json").write_bytes(line(3) + b"\n")
    (tmp_path / "spans-2026-01-13T14-00-02.000.json").write_bytes(line(2) + b"\n")
    (tmp_path / "spans-2026-01-13T14-00-00.500.json.gz").write_bytes(gzip.compress(line(0) + b"\n"))
    (tmp_path / "spans-2026-01-13T14-00-01.000.json").write_bytes(line(1) + b"\n")
    (tmp_path / "spans-of-others.json").write_bytes(line(9) + b"\n")

    assert read(tmp_path / "spans.json")[0] == [0, 1, 2, 3]


def test_a_folder_is_all_files_below_it(tmp_path: Path) -> None:
    """Where an exporter writes a file for each service, or rotates."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.json").write_bytes(line(0) + b"\n")
    (tmp_path / "b-2026-01-13T14-00-02.000.json").write_bytes(line(1) + b"\n")
    (tmp_path / "b.json").write_bytes(line(2) + b"\n")

    found, events = read(tmp_path)

    assert (found, events.account.requests) == ([0, 1, 2], 3)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (line(0) + b"\n" + line(1)[:50], [0]),
        (line(0) + b"\n" + line(1), [0, 1]),
        (packed(line(0)) + packed(line(1))[:30], [0]),
        (packed(line(0)) + b"\0\0", [0]),
        (zstandard.compress(line(0) + b"\n") + zstandard.compress(line(1) + b"\n")[:20], [0]),
    ],
    ids=["half a line", "a line without an end", "half a message", "half a length", "half of a file's end"],
)
def test_an_unfinished_end_is_no_damage(tmp_path: Path, written: bytes, found: list[int]) -> None:
    """The file is still being written; what there is of it is told."""
    path = tmp_path / "spans.json"
    path.write_bytes(written)

    seconds, events = read(path)

    assert (seconds, events.account.skipped.first) == (found, None)
    assert len(events.account.notes) == len([0, 1]) - len(found)


BROKEN = packed(line(5))[:-6] + b"broken"


@pytest.mark.parametrize(
    ("written", "number", "reason"),
    [
        (line(0) + b"\n{oops\n" + line(1) + b"\n", 2, "foreign"),
        (line(0) + b'\n{"resourceSpans": 3}\n' + line(1) + b"\n", 2, "foreign"),
        (packed(line(0)) + BROKEN + packed(line(1)), 2, "torn"),
        (packed(line(0)) + b"\x7f\xff\xff\xff" + packed(line(1)), 2, "torn"),
        (packed(line(0)) + b"\0\0\x10\0" + packed(line(5))[4:] + packed(line(1)), 2, "torn"),
        (packed(line(0)) + b"\0\0\0\x90" + packed(line(5))[4:] + packed(line(1)), 2, "torn"),
    ],
    ids=["a line", "other JSON", "a message", "a length", "a length beyond the end", "a length over the next one"],
)
def test_what_is_damaged_is_counted_and_named(tmp_path: Path, written: bytes, number: int, reason: str) -> None:
    """And what is behind it is found again."""
    path = tmp_path / "spans.json"
    path.write_bytes(written)

    found, events = read(path)

    assert (found, dict(events.account.skipped.reasons)) == ([0, 1], {reason: 1})
    assert str(events.account.skipped.first).startswith(f"{path}:{number}: {reason} (")


def test_other_signals_in_the_file_are_none_of_it(tmp_path: Path) -> None:
    """Metrics and logs are no damage."""
    path = tmp_path / "all.json"
    path.write_bytes(b'{"resourceMetrics":[]}\n{"resourceLogs":[{}]}\n{}\n' + line(0) + b"\n")

    found, events = read(path)

    assert (found, events.account.skipped.first) == ([0], None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(since_ns=START_NS + 1_000_000_000), [1, 2, 3]),
        (Query(until_ns=START_NS + 1_000_000_000), [0]),
        (Query(services=("other",)), [3]),
        (Query(statuses=("error",)), None),
        (Query(layers=("system",), components=("SHOP",)), [0, 1, 2]),
        (Query(request=f"{3:016x}"), [2]),
        (Query(run="r"), None),
    ],
)
def test_only_what_is_asked_for_comes(tmp_path: Path, query: Query, found: list[int] | None) -> None:
    """By time, service, run, layer, status, component and id; where there is nothing of it, that is said."""
    path = tmp_path / "spans.json"
    path.write_bytes(line(0, 1, 2) + b"\n" + line(3, service="other") + b"\n")

    if found is not None:
        assert read(path, query)[0] == found
        return
    with pytest.raises(NothingThere, match=r"has no span of (status error|run r) at any time: widen"):
        read(path, query)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is said when it is read."""
    with pytest.raises(NoTraceFound, match=r"no trace at .*none\.json"):
        read(tmp_path / "none.json")


def test_processes_with_one_pid_are_told_apart(tmp_path: Path) -> None:
    """As in containers, where the first process always has the pid 1."""
    lines = []
    for number, pod in enumerate(("a", "b", "a")):
        request = json.loads(line(number))
        request["resourceSpans"][0]["resource"]["attributes"] += [
            {"key": "process.pid", "value": {"intValue": "1"}},
            {"key": "k8s.pod.name", "value": {"stringValue": pod}},
        ]
        lines.append(json.dumps(request).encode())
    path = tmp_path / "spans.json"
    path.write_bytes(b"\n".join(lines) + b"\n")

    events = events_of(f"otlp-file:{path}", Query())
    assert events is not None

    assert [event.pid for event in events] == [1, 10_000_001, 1]
    assert events.account.notes == [
        "1 processes have the pid of another machine's or container's: their numbers end with it"
    ]


# -- the report


def test_the_report_is_the_one_of_where_the_program_ran(
    recording: Any, reading_back: ModuleType, told: Told, tmp_path: Path
) -> None:
    """Stacks aside, and what no span knows: systems, times, costs, traits, gaps, executions of processes."""
    (tmp_path / "otlp.jsonl").write_bytes(b"".join(recording.lines()))

    assert told("diagnose", "--from", "otlp-file:otlp.jsonl", "--no-draft", "--out", "back") == ""

    report = json.loads((tmp_path / "back" / "report.json").read_bytes())
    local = reading_back.comparable(recording.report())
    assert reading_back.differences(local, reading_back.comparable(report)) == []


def test_the_report_says_where_it_is_from(recording: Any, told: Told, tmp_path: Path) -> None:
    """And what no backend knows; a damaged line counts as skipped."""
    (tmp_path / "otlp.jsonl").write_bytes(b"{damaged\n" + b"".join(recording.lines()))

    words = ("--from", "otlp-file:otlp.jsonl", "--run", recording.folder.name)
    printed = json.loads(told("diagnose", *words, "--json", "--no-draft"))
    page = (Path(printed["run"]) / "report.html").read_text()
    quality = printed["report"]["quality"]
    assert quality["source"] | {"first_skipped": "", "spans": 0} == {
        "uri": "otlp-file:otlp.jsonl",
        "kind": "files of OTLP",
        "asked": {"run": recording.folder.name},
        "spans": 0,
        "requests": 1,
        "skipped": 1,
        "first_skipped": "",
        "runs": [recording.folder.name],
        "loses": [],
        "notes": [],
    }
    assert quality["source"]["first_skipped"].startswith("otlp.jsonl:1: foreign (")
    assert (quality["lines_skipped"], quality["verdict"]) == (1, "weak")
    assert {one["evidence"] for one in quality["absent"]} >= {"stacks", "process_counters", "timelines", "machine"}
    assert "Read back from" in page
    assert f"files of OTLP, asked for run {recording.folder.name}" in page


def test_every_command_reads_it(recording: Any, told: Told, tmp_path: Path) -> None:
    """`view`, `stats` and `draft` see what they see where the program ran."""
    (tmp_path / "otlp.jsonl").write_bytes(b"".join(recording.lines()))
    run = recording.folder

    local = json.loads(told("stats", run, "--json", "--by", "component"))
    back = json.loads(told("stats", "--from", "otlp-file:otlp.jsonl", "--json", "--by", "component"))
    assert {**back, "trace": ""} == {**local, "trace": ""}

    local_lines = told("view", run, "--hrm", "foc", "--jsonl").splitlines()
    lines = told("view", "--from", "otlp-file:otlp.jsonl", "--hrm", "foc", "--jsonl").splitlines()
    without = ("segments",)
    assert [{k: v for k, v in json.loads(one).items() if k not in without} for one in lines] == [
        {k: v for k, v in json.loads(one).items() if k not in without} for one in local_lines
    ]

    drafted = told("draft", "--from", "otlp-file:otlp.jsonl", "--system", "<packing.Packer>", "--stdout")
    assert "def calculate_traits" in drafted
    assert not (tmp_path / ".dam-obs").exists()


def test_times_are_asked_for_by_options(told: Told, tmp_path: Path) -> None:
    """`--since` and `--until` say what a filter can say, so files have them, too."""
    (tmp_path / "otlp.jsonl").write_bytes(line(0, 1, 2) + b"\n")
    window = ("--since", "2026-01-13T14:00:01Z", "--until", "2026-01-13T14:00:02Z")

    for source in (("otlp.jsonl",), ("--from", "otlp-file:otlp.jsonl")):
        assert json.loads(told("stats", *source, *window, "--json"))["events"] == 1
        assert len(told("view", *source, *window, "--jsonl").splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("view", "otlp.jsonl", "--service", "x"),
            "--service and --run go with --from: a file's events do not tell them",
        ),
        (("stats", "otlp.jsonl", "--from", "otlp-file:x"), "--from says already what to read"),
        (("diagnose", "--from", "otlp-file:x", "--", "true"), "it does not go with a command"),
        (("diagnose", "--from", "otlp-file:x", "--rate", "5"), "it does not go with --rate"),
        (("diagnose", "--since", "1h"), "--since, --until, --service and --run go with --from"),
        (("diagnose", "--from", "otlp.jsonl"), "--from names a backend, and 'otlp.jsonl' is a file"),
        (("draft", "otlp.jsonl", "--since", "1h"), "--since and --until go with --from"),
        (("view", "--from", "otlp-file:x", "--follow"), "--follow reads a file, a run or a pipe"),
        (("view", "--from", "otlp-file:x", "--since", "soon"), "'soon' is no time"),
    ],
)
def test_options_that_do_not_go_together(
    words: tuple[str, ...],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is wrong with them is said, and nothing is read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "otlp.jsonl").write_bytes(line(0) + b"\n")

    assert main(list(words)) == 2
    printed = capsys.readouterr()
    assert (printed.out, says in printed.err) == ("", True), printed.err
