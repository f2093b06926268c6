"""Whatever the parameters: a system is refused, or it can be called with what is found for it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from dam_traits import Command, InvalidSystem, MissingResource, World
from dam_traits.invocation import Invocation
from hypothesis import given
from hypothesis import strategies as st


class Ask(Command[None]): ...


class Tell(Command[None]): ...


class Database: ...


class Sqlite(Database): ...


class Cache: ...


P = inspect.Parameter
KINDS = (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD, P.VAR_POSITIONAL, P.KEYWORD_ONLY, P.VAR_KEYWORD)
FILLED = {Ask: Ask, Command: Ask, World: World, Database: Database, Sqlite: Sqlite, Cache: Cache}
REFUSED = (P.empty, Tell, Any, object, int, list[str])
DEFAULT = object()


@st.composite
def signatures(draw):
    """Parameters that Python allows, in any mixture of kinds, types and defaults."""
    kinds = sorted(draw(st.lists(st.sampled_from(KINDS), max_size=6)), key=KINDS.index)
    parameters: list[P] = []
    has_default = False
    for number, kind in enumerate(kinds):
        if kind in (P.VAR_POSITIONAL, P.VAR_KEYWORD):
            if any(each.kind is kind for each in parameters):
                continue
            parameters.append(P(f"p{number}", kind, annotation=draw(st.sampled_from(list(FILLED)))))
            continue
        with_default = draw(st.booleans())
        if kind is not P.KEYWORD_ONLY:
            has_default = with_default = has_default or with_default
        annotation = draw(st.sampled_from([*FILLED, *REFUSED, Database | None]))
        parameters.append(P(f"p{number}", kind, annotation=annotation, default=DEFAULT if with_default else P.empty))
    return inspect.Signature(parameters)


def is_plain(parameter):
    return parameter.kind in (P.POSITIONAL_OR_KEYWORD, P.KEYWORD_ONLY)


def takes_the_command(parameter):
    return is_plain(parameter) and parameter.annotation in (Ask, Command)


def cannot_be_filled(parameter):
    """Without a default: positional-only, or of a type that nothing has."""
    if parameter.kind in (P.VAR_POSITIONAL, P.VAR_KEYWORD) or parameter.default is DEFAULT:
        return False
    return parameter.kind is P.POSITIONAL_ONLY or parameter.annotation in REFUSED


@given(signatures(), st.sets(st.sampled_from([Database, Sqlite, Cache])))
def test_it_is_refused_or_can_be_called(signature, resources):
    """What is found binds to the parameters, and each value is what its parameter says."""

    def target(*args, **kwargs): ...

    target.__signature__ = signature
    parameters = signature.parameters.values()
    world = World(load_plugins=False)
    for each in resources:
        world.add_resource(each())

    if any(map(cannot_be_filled, parameters)) or not any(map(takes_the_command, parameters)):
        with pytest.raises(InvalidSystem):
            world.register_system(target, on_command=Ask)
        assert len(world.systems) == 0
        return

    system = world.register_system(target, on_command=Ask)
    invocation = Invocation(world=world, system=system, command=Ask())
    missing = [
        each
        for each in parameters
        if is_plain(each)
        and each.default is P.empty
        and each.annotation in (Database, Sqlite, Cache)
        and not any(issubclass(resource, each.annotation) for resource in resources)
    ]
    if missing:
        with pytest.raises(MissingResource, match=f"parameter {missing[0].name} of"):
            system.bind(invocation)
        return

    arguments = system.bind(invocation)
    signature.bind(**arguments)
    for name, value in arguments.items():
        annotation = signature.parameters[name].annotation
        assert isinstance(value, FILLED.get(annotation, annotation))
