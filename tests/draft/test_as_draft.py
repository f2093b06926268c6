"""What people write, in the form of a draft, where it is no more than one."""

from __future__ import annotations

import ast

import pytest

from dam_obs.draft.as_draft import NotPlain, as_draft

HEAD = """
from dam_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait as Uses, Trait
import dam_traits as t
import math as m
from math import log2
from enum import Enum
from elsewhere import OwnTrait, helper
from typing import Final

POOL = "disk/read/vda"
FACTOR: Final = 1.5
TWICE = 1
TWICE = 2
COUNT = 0

def count():
    global COUNT
    COUNT += 1

def max_of(values): ...
"""
METHOD = """
class System:
    @classmethod
    async def calculate_traits(cls, command, world):
        {body}
"""


def body_of(body, head=HEAD, method=METHOD):
    """The body of the draft that is made of a method."""
    module = ast.parse(head + method.format(body=body.replace("\n", "\n        ")))
    made = as_draft(module, module.body[-1].body[-1], is_method=True)
    return made.draft.partition("list[Trait]:\n")[2].replace("        ", "").rstrip(), made.unknown


WRITTEN = {
    "positional arguments": ("return [Uses('cpu', 2)]", "return [ResourceUsageTrait(pool_path='cpu', amount=2)]"),
    "some of them": ("return [ExecutionCostTrait(5, time_ms=2)]", "return [ExecutionCostTrait(priority=5, time_ms=2)]"),
    "a module before it": ("return [t.IOBoundTrait()]", "return [IOBoundTrait()]"),
    "a constant of the module": ("return [Uses(POOL)]", "return [ResourceUsageTrait(pool_path='disk/read/vda')]"),
    "a constant with a type": (
        "return [ExecutionCostTrait(time_ms=round(FACTOR * command.size))]",
        "return [ExecutionCostTrait(time_ms=round(1.5 * cmd.size))]",
    ),
    "mathematics by other names": (
        "return [ExecutionCostTrait(time_ms=round(log2(command.size) + m.sqrt(4)))]",
        "return [ExecutionCostTrait(time_ms=round(math.log2(cmd.size) + math.sqrt(4)))]",
    ),
    "names of its own": (
        "'''Say it.'''\nsize: int = command.size\nreturn [ExecutionCostTrait(time_ms=size)]",
        "size = cmd.size\nreturn [ExecutionCostTrait(time_ms=size)]",
    ),
    "a local name that hides a constant": (
        "POOL = 'cpu'\nreturn [Uses(POOL)]",
        "POOL = 'cpu'\nreturn [ResourceUsageTrait(pool_path=POOL)]",
    ),
    "an empty list": ("return []", "return []"),
    "a tuple": ("return (t.IOBoundTrait(),)", "return [IOBoundTrait()]"),
}


@pytest.mark.parametrize(("body", "expected"), WRITTEN.values(), ids=WRITTEN.keys())
def test_what_can_be_told_from_the_file_is_written_out(body, expected):
    """The result has passed the allow-list."""
    assert body_of(body) == (expected, ())


def test_traits_of_other_kinds_are_left_out_and_named():
    """There is nothing to hold them against."""
    assert body_of("return [OwnTrait(helper()), t.IOBoundTrait()]") == ("return [IOBoundTrait()]", ("OwnTrait",))


def test_a_static_method_has_no_class():
    """Two parameters."""
    method = METHOD.replace("classmethod", "staticmethod").replace("cls, ", "")

    assert body_of("return [Uses('cpu')]", method=method) == ("return [ResourceUsageTrait(pool_path='cpu')]", ())


REFUSED = {
    "an if": ("if command.size:\n    return []\nreturn []", "a statement other than an assignment"),
    "an await": ("await command.load()\nreturn []", "a statement other than an assignment"),
    "a call of its own": ("return [Uses(helper())]", "it uses helper, which its module imports"),
    "a function of its module": ("return [Uses(max_of(command.size))]", "it uses max_of of its module"),
    "a name with two meanings": ("return [Uses('cpu', TWICE)]", "it uses TWICE, which its module defines more than"),
    "a name that functions change": ("return [Uses('cpu', COUNT)]", "it uses COUNT, which its module defines more"),
    "the world": ("return [Uses(world.pool)]", "an expression that a draft has no use for"),
    "its class": ("return [Uses(cls.pool)]", "an expression that a draft has no use for"),
    "a builtin with effects": ("return [Uses(open('x').read())]", "it uses open of its module"),
    "private fields": ("return [Uses(command._pool)]", "an expression that a draft has no use for"),
    "a comprehension": ("return [Uses(x) for x in command.pools]", "does not end by returning a list"),
    "a parameter that is changed": ("command = command.inner\nreturn []", "it assigns to command"),
    "too many arguments": ("return [Uses('cpu', 1, 2)]", "it gives ResourceUsageTrait too many arguments"),
    "a list made elsewhere": ("return helper(command)", "does not end by returning a list|it uses helper"),
}


@pytest.mark.parametrize(("body", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_more_than_a_calculation_is_refused(body, why):
    """With the reason, and without a line of a text that nobody has seen."""
    with pytest.raises(NotPlain, match=why) as told:
        body_of(body)
    assert "(line" not in str(told.value)


def test_a_star_import_may_mean_anything():
    """Also another ``max``."""
    with pytest.raises(NotPlain, match="its module imports"):
        body_of("return [Uses('cpu', max(1, 2))]", head=f"{HEAD}\nfrom elsewhere import *\n")


def test_the_same_import_again_changes_nothing():
    """But another one by the same name does."""
    again = f"{HEAD}\nfrom dam_traits import ResourceUsageTrait as Uses\n"
    assert body_of("return [Uses('cpu')]", head=again)[0] == "return [ResourceUsageTrait(pool_path='cpu')]"

    other = f"{HEAD}\nfrom elsewhere import Uses\n"
    with pytest.raises(NotPlain, match="it uses Uses, which its module defines more than once"):
        body_of("return [Uses('cpu')]", head=other)


def test_a_builtin_that_the_module_replaces_is_not_the_builtin():
    """It is called by the same name only."""
    with pytest.raises(NotPlain, match="it uses max of its module"):
        body_of("return [Uses('cpu', max(1, 2))]", head=f"{HEAD}\ndef max(*_): ...\n")


SIGNATURES = {
    "sync": ("async ", "", "it is not async"),
    "no class method": ("@classmethod", "", "it is no class method"),
    "decorated": ("@classmethod", "@cached\n    @classmethod", "it has decorators"),
    "defaults": ("world", "world=None", "other parameters"),
    "more": ("world", "world, more", "other parameters"),
    "open": ("world", "*world", "other parameters"),
}


@pytest.mark.parametrize(("old", "new", "why"), SIGNATURES.values(), ids=SIGNATURES.keys())
def test_another_signature_is_refused(old, new, why):
    """A scheduler could not call it, or not in the way that we do."""
    with pytest.raises(NotPlain, match=why):
        body_of("return []", method=METHOD.replace(old, new))


def test_nesting_without_end_is_refused():
    """Rather than a traceback."""
    deep = "+".join(["1"] * 700)

    with pytest.raises(NotPlain, match="nested too deeply"):
        body_of(f"return [Uses('cpu', {deep})]")
