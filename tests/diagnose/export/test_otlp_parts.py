"""Profiles that are too large for one request go out in several, and nothing is lost or counted twice."""

from __future__ import annotations

from collections import Counter

import pytest

from dam_obs.diagnose.export.otlp_check import wrong_indices
from dam_obs.diagnose.export.otlp_parts import in_parts
from dam_obs.diagnose.export.otlp_profiles import otlp_profiles
from dam_obs.diagnose.export.samples import RunSamples


def seen(messages):
    """Count what is in samples: who, where, what, when."""
    found = Counter()
    for data in messages:
        tables, strings = data.dictionary, data.dictionary.string_table
        for resource in data.resource_profiles:
            who = tuple(str(each) for each in resource.resource.attributes)
            for scope in resource.scope_profiles:
                for profile in scope.profiles:
                    for sample in profile.samples:
                        link = tables.link_table[sample.link_index]
                        stack = tuple(
                            strings[tables.function_table[line.function_index].name_strindex]
                            for location in tables.stack_table[sample.stack_index].location_indices
                            for line in tables.location_table[location].lines
                        )
                        named = tuple(
                            (
                                strings[tables.attribute_table[each].key_strindex],
                                str(tables.attribute_table[each].value),
                            )
                            for each in sample.attribute_indices
                        )
                        key = (who, scope.scope.name, profile.period, link.trace_id, link.span_id, stack, named)
                        times = sample.timestamps_unix_nano or [0] * len(sample.values)
                        for value, time in zip(sample.values, times, strict=True):
                            found[key, time] += value
    return found


def said_of_the_whole(messages):
    """Sum up what profiles say they have."""
    found = Counter()
    for data in messages:
        strings = data.dictionary.string_table
        for resource in data.resource_profiles:
            for profile in resource.scope_profiles[0].profiles:
                for index in profile.attribute_indices:
                    attribute = data.dictionary.attribute_table[index]
                    if strings[attribute.key_strindex].startswith("dam.samples."):
                        found[strings[attribute.key_strindex]] += attribute.value.int_value
    return found


@pytest.mark.parametrize("most_bytes", [900, 2_000, 4_000])
def test_parts_have_the_samples_of_the_whole(example, most_bytes):
    """Each below the limit, each whole in itself; what is counted adds up."""
    data = otlp_profiles(RunSamples(example))
    parts = list(in_parts(data, most_bytes))

    assert len(parts) > 1
    assert max(part.ByteSize() for part in parts) <= most_bytes
    assert [list(wrong_indices(part)) for part in parts] == [[] for _ in parts]
    assert seen(parts) == seen([data])
    assert said_of_the_whole(parts) == said_of_the_whole([data])


def test_what_is_small_enough_is_one_part(small_run):
    """The very message."""
    data = otlp_profiles(RunSamples(small_run))

    assert [part is data for part in in_parts(data, data.ByteSize())] == [True]


def test_a_sample_of_many_times_is_cut_between_them(kit):
    """Equal samples are one with many times, which alone may be too much."""
    work = ("work", "/app/work.py", 5)
    run = kit.run({"Process 10 Thread 10": [[kit.tag(0), work]] * 500}, kit.execution(0, (100, 6000, 10)))
    data = otlp_profiles(RunSamples(run))
    parts = list(in_parts(data, 1_500))

    assert len(parts) > 2
    assert max(part.ByteSize() for part in parts) <= 1_500
    assert seen(parts) == seen([data])


def test_a_limit_that_no_sample_keeps_leaves_each_alone(small_run):
    """What cannot be cut is left as it is; the collector says what it thinks of it."""
    data = otlp_profiles(RunSamples(small_run))
    parts = list(in_parts(data, 1))

    assert seen(parts) == seen([data])
    assert {len(part.resource_profiles[0].scope_profiles[0].profiles[0].samples) for part in parts} == {1}
