"""Which of a report's names are Python names, and what stands in for the rest."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.draft.names import CommandType, class_name, command_type, feature_source, file_names


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ("asset_pipeline.systems:ExtractMember", "ExtractMember"),
        ("asset_pipeline.systems:ExtractMember.__call__", "ExtractMember"),
        ("asset_pipeline.systems:HashPlugin.run", "HashPlugin"),
        ("asset_pipeline.systems:hash_file", "hash_file"),
        ("core/focus.py", "focus"),
        ("x:make.<locals>.Inner", "Inner"),
        ("x:class", "x"),
        ("x:Trait", "TraitSystem"),
        ("", "System"),
        ("x:__import__('os')", "x"),
    ],
)
def test_the_class_of_a_draft_is_named_for_the_system(system, name):
    """The last class in the system's name; never a name that means something else in a draft."""
    assert class_name(system) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app.commands:Extract", CommandType("app.commands", "Extract", None, "Extract")),
        ("app.commands:Zip.Extract", CommandType("app.commands", "Zip", None, "Zip.Extract")),
        ("app.commands:Trait", CommandType("app.commands", "Trait", "Command", "Command")),
        ("app.commands:System", CommandType("app.commands", "System", "Command", "Command")),
        ("app:f.<locals>.Extract", None),
        ("__main__:Extract", None),
        ("__future__:annotations", None),
        ("app.class:Extract", None),
        ("app.commands:Extract; import os", None),
        ("app.commands\n:Extract", None),
        ("app..commands:Extract", None),
        ("Extract", None),
        ("", None),
        ("app:" + "x" * 1_000, None),
        ("app:\ufb01le", None),
    ],
)
def test_a_command_is_imported_only_where_its_name_is_one(text, expected):
    """A local class, a class of the main program and anything that is no name become `Any`."""
    assert command_type(text, taken="System") == expected


def test_an_imported_command_never_takes_the_name_of_the_class():
    """Also not by way of the alias."""
    assert command_type("app:Command", taken="Command").import_line == "from app import Command as CommandType"


@pytest.mark.parametrize(
    ("feature", "source"),
    [
        ("size", "cmd.size"),
        ("entry.size", "cmd.entry.size"),
        ("len(entry)", "len(cmd.entry)"),
        ("len(entry.name)", "len(cmd.entry.name)"),
        ("_secret", None),
        ("__class__", None),
        ("a.__class__", None),
        ("class", None),
        ("size; import os", None),
        ("len(a) or b", None),
        ("len(len(a))", None),
        ("size()", None),
        ("a b", None),
        ("", None),
        ("a.", None),
        ("a\n", None),
    ],
)
def test_a_feature_is_a_public_field_of_the_command_or_its_length(feature, source):
    """What else a feature may be called, it cannot be read from a command."""
    assert feature_source(feature, command_is_dict=False) == source


def test_features_of_a_dict_are_its_items():
    """Some hosts' commands are plain dicts."""
    assert feature_source("len(entry)", command_is_dict=True) == 'len(cmd["entry"])'


@given(st.text(max_size=30) | st.from_regex(r"[a-z.()_]{0,20}", fullmatch=True))
def test_whatever_a_feature_is_called_its_source_reads_fields_of_the_command_alone(feature):
    """No name but `cmd` and `len`."""
    source = feature_source(feature, command_is_dict=False)

    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)} if source else set()
    assert names <= {"cmd", "len"}


@given(
    st.lists(
        st.text(st.characters(codec=None), max_size=20) | st.sampled_from(["a:B", "a.B", "A_b", "review"]), unique=True
    )
)
def test_each_system_has_a_file_of_its_own(systems):
    """Also on disks that do not tell upper from lower case; never outside the folder, never the review."""
    names = file_names(systems)

    assert sorted(names) == sorted(systems)
    assert len({name.casefold() for name in names.values()}) == len(systems)
    for name in names.values():
        assert name.removesuffix(".py").isidentifier()
        assert name.isascii()
        assert len(name) <= 140


def test_file_names_do_not_depend_on_order():
    """The same report, read in another order, has the same files."""
    assert file_names(["a_b:C", "a.b:C"]) == file_names(["a.b:C", "a_b:C"])
    assert file_names(["asset_pipeline.systems:ExtractMember"]) == {
        "asset_pipeline.systems:ExtractMember": "asset_pipeline_systems_ExtractMember.py"
    }
