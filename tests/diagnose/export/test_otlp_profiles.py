"""OTLP Profiles: read by the proto classes, linked to spans, every index in its table."""

from __future__ import annotations

import json

import pytest
from google.protobuf import json_format

from dam_obs.diagnose.export import otlp_classes
from dam_obs.diagnose.export.errors import ProfilesUnsupported, UnknownSuffix
from dam_obs.diagnose.export.formats import FORMATS
from dam_obs.diagnose.export.otlp_check import wrong_indices
from dam_obs.diagnose.export.otlp_profiles import as_json, as_protobuf, otlp_profiles
from dam_obs.diagnose.export.samples import RunSamples

WORK = ("work", "/app/work.py", 5)
PB2 = otlp_classes.profiles_pb2()


def parsed(run, **asked):
    """Return what the classes read of a run's file."""
    return PB2.ProfilesData.FromString(b"".join(as_protobuf(otlp_profiles(RunSamples(run, **asked)))))


def profiles(data):
    """Return all profiles."""
    return [one for resource in data.resource_profiles for scope in resource.scope_profiles for one in scope.profiles]


def attributes(data, indices):
    """Return what indices into the table of attributes stand for."""
    strings, table = data.dictionary.string_table, data.dictionary.attribute_table
    found = {}
    for index in indices:
        value = table[index].value
        found[strings[table[index].key_strindex]] = getattr(value, value.WhichOneof("value"))
    return found


def stack(data, sample):
    """Return a sample's frames, outermost first."""
    tables = data.dictionary
    found = []
    for location in reversed(tables.stack_table[sample.stack_index].location_indices):
        (line,) = tables.location_table[location].lines
        function = tables.function_table[line.function_index]
        names = tables.string_table[function.name_strindex], tables.string_table[function.filename_strindex]
        found.append((*names, line.line))
    return found


def test_samples_are_linked_to_the_spans_of_their_executions(small_run):
    """Stack, system, thread, number; outside executions there is no link."""
    data = parsed(small_run)
    timed, untimed = profiles(data)
    links = [(link.trace_id.hex(), link.span_id.hex()) for link in data.dictionary.link_table]
    main = {"thread.name": "MainThread", "thread.id": 10}
    outer = {"dam.layer": "system", "dam.operation": "execute", "dam.component": "app:Outer"}
    inner = {"dam.layer": "system", "dam.operation": "load", "dam.component": "app:Inner"}

    assert [
        (stack(data, each), attributes(data, each.attribute_indices), links[each.link_index], list(each.values))
        for each in timed.samples
    ] == [
        ([("<module>", "/app/main.py", 1)], main, ("", ""), [1, 1]),
        ([WORK], main | outer, (f"{1:032x}", f"{1:016x}"), [1, 1]),
        ([("helper", "/app/work.py", 9)], main | inner, (f"{2:032x}", f"{2:016x}"), [1]),
    ]
    (idle,) = untimed.samples
    assert (list(idle.values), list(idle.timestamps_unix_nano), idle.link_index) == ([5], [], 0)


def test_a_profile_says_what_was_counted(small_run):
    """In executions, outside, linked; and in which unit, how often and when it was sampled."""
    data = parsed(small_run)
    timed, untimed = profiles(data)
    strings = data.dictionary.string_table

    assert [attributes(data, one.attribute_indices) for one in (timed, untimed)] == [
        {"dam.samples.in_executions": 3, "dam.samples.outside_executions": 2, "dam.samples.linked": 3},
        {"dam.samples.in_executions": 0, "dam.samples.outside_executions": 5, "dam.samples.linked": 0},
    ]
    for one in (timed, untimed):
        assert [strings[index] for index in (one.sample_type.type_strindex, one.sample_type.unit_strindex)] == [
            "samples", "count",
        ]  # fmt: skip
        assert [strings[index] for index in (one.period_type.type_strindex, one.period_type.unit_strindex)] == [
            "wall", "nanoseconds",
        ]  # fmt: skip
        assert one.period == 10_000_000
    times = [time for sample in timed.samples for time in sample.timestamps_unix_nano]
    assert timed.time_unix_nano == min(times)
    assert timed.time_unix_nano + timed.duration_nano == max(times) + 1


def test_times_are_wall_times_inside_the_execution(kit):
    """The monotonic clock of the segments is lined up with the events' time stamps."""
    run = kit.run({"Process 10 Thread 10": [[kit.tag(0), WORK]]}, kit.execution(0, (100, 102, 10)))
    (profile,) = profiles(parsed(run))

    assert list(profile.samples[0].timestamps_unix_nano) == [1_000 * 10**9 + 101 * 10**6]


def test_a_process_is_a_resource(kit):
    """With its pid, the program and the run."""
    data = parsed(kit.run({"Process 10 Thread 10": [[WORK]], "Process 11 Thread 11": [[WORK]]}))

    assert [
        {one.key: one.value.string_value or one.value.int_value for one in resource.resource.attributes}
        for resource in data.resource_profiles
    ] == [{"service.name": "app.py", "dam.run.id": "r1", "process.pid": pid} for pid in (10, 11)]
    assert [resource.scope_profiles[0].scope.name for resource in data.resource_profiles] == ["dam_obs"] * 2


@pytest.mark.parametrize("trace_id", [None, "", "0" * 32, "xyz", "1" * 31, "1" * 33])
def test_without_a_trace_id_there_is_no_link(kit, trace_id):
    """A link that leads nowhere is worse than none; the sample keeps its system."""
    run = kit.run({"Process 10 Thread 10": [[kit.tag(0), WORK]]}, kit.execution(0, otel_trace_id=trace_id))
    data = parsed(run)
    (profile,) = profiles(data)

    assert profile.samples[0].link_index == 0
    assert len(data.dictionary.link_table) == 1
    assert attributes(data, profile.attribute_indices)["dam.samples.linked"] == 0


def test_every_index_is_in_its_table_and_each_value_once(example):
    """In a whole run; and nothing is in a table that nobody points to."""
    data = parsed(example)
    tables = data.dictionary

    assert list(wrong_indices(data)) == []
    for table in ("location", "function", "link", "attribute", "stack"):
        entries = [entry.SerializeToString(deterministic=True) for entry in getattr(tables, f"{table}_table")]
        assert len(entries) == len(set(entries)), table
    assert len(tables.string_table) == len(set(tables.string_table))
    used = {sample.stack_index for profile in profiles(data) for sample in profile.samples}
    assert used | {0} == set(range(len(tables.stack_table)))


def test_json_has_the_same_message(example):
    """Ids in hex, as OTLP has them; all else as protobuf's own JSON."""
    data = otlp_profiles(RunSamples(example))
    text = b"".join(as_json(data))
    links = json.loads(text)["dictionary"]["linkTable"]
    assert [(link.get("traceId", ""), link.get("spanId", "")) for link in links] == [
        (link.trace_id.hex(), link.span_id.hex()) for link in data.dictionary.link_table
    ]
    again = json_format.Parse(text, PB2.ProfilesData())
    for link, true in zip(again.dictionary.link_table, data.dictionary.link_table, strict=True):
        link.CopyFrom(true)  # hex is valid base64, and means something else there
    assert again == data


@pytest.mark.parametrize(
    ("break_it", "found"),
    [
        (lambda data: data.dictionary.ClearField("stack_table"), "the stack table is empty"),
        (lambda data: data.dictionary.string_table.insert(0, "x"), "does not begin with the empty string"),
        (lambda data: data.dictionary.link_table.pop(0), "the link table does not begin with the empty value"),
        (
            lambda data: setattr(profiles(data)[0].samples[0], "stack_index", 99),
            "a sample has index 99 of a stack table",
        ),
        (lambda data: setattr(profiles(data)[0].samples[0], "link_index", -1), "a sample has index -1 of a link table"),
        (lambda data: data.dictionary.stack_table[1].location_indices.append(77), "a stack has index 77 of a location"),
        (lambda data: profiles(data)[0].samples[0].values.append(1), "a sample has 3 values and 2 times"),
        (lambda data: profiles(data)[0].samples.add(), "a sample has neither values nor times"),
    ],
)
def test_the_check_finds_what_is_wrong(small_run, break_it, found):
    """So that its silence means something."""
    data = parsed(small_run)
    assert list(wrong_indices(data)) == []
    break_it(data)

    assert any(found in fault for fault in wrong_indices(data))


class TestAnotherStateOfTheFormat:
    """The format is alpha: what is installed may be older or newer."""

    def test_a_missing_field_is_named(self, monkeypatch):
        """And nothing is written."""
        monkeypatch.setitem(otlp_classes.USED, "Sample", ("stack_index", "locations_start_index"))

        with pytest.raises(ProfilesUnsupported, match=r"\(Sample.locations_start_index is missing\): install another"):
            otlp_classes.profiles_pb2()

    def test_so_is_a_missing_class(self, monkeypatch):
        """Of which nothing can be made."""
        monkeypatch.setitem(otlp_classes.USED, "AttributeUnit", ())

        with pytest.raises(ProfilesUnsupported, match="AttributeUnit is missing"):
            otlp_classes.profiles_pb2()

    def test_and_no_classes_at_all(self, monkeypatch):
        """As before the format came."""
        monkeypatch.setattr(otlp_classes, "MODULE", "opentelemetry.proto.profiles.v9.profiles_pb2")

        with pytest.raises(ProfilesUnsupported, match=r"opentelemetry\.proto\.profiles\.v9 is missing"):
            otlp_classes.profiles_pb2()


@pytest.mark.parametrize("name", ["a.txt", "profile", "a.json.gz"])
def test_the_suffix_says_how_to_write(tmp_path, name):
    """One that does not is refused before anything is read."""
    with pytest.raises(UnknownSuffix, match=r"end it in \.json for JSON, or in \.pb or \.binpb for protobuf"):
        FORMATS["otlp-profiles"].check(tmp_path / name)
