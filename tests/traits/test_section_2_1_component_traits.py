"""Seed 2 and 2.1: a trait is a namespace of commands, bound to components; entities have it by theirs."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest
from dam_traits import (
    Command,
    DuplicateIdentity,
    InvalidIdentifier,
    InvalidImplementation,
    InvalidSystem,
    Trait,
    TraitIdentifier,
    TraitImplementation,
    TraitImplementationIdentifier,
    TraitManager,
    World,
    commands_of,
    system,
)


@dataclass(frozen=True)
class GetStream(Command[bytes]):
    entity_id: int


@dataclass(frozen=True)
class GetSize(Command[int]):
    entity_id: int


@dataclass(frozen=True)
class Readable(Trait):
    """As the seed writes a trait: identifier and description are fields with defaults."""

    identifier: TraitIdentifier = TraitIdentifier.from_string("asset.content.readable")  # noqa: RUF009 - as in the seed
    description: str = "Its bytes can be read."

    GetStream = GetStream
    GetSize = GetSize


class Path: ...


class ZipMember: ...


class Offset: ...


class NetworkPath(Path): ...


def read(cmd: GetStream) -> bytes:
    return b"abc"


def measure(cmd: GetSize) -> int:
    return 3


def readable(name="core.read_file", handlers=None):
    return TraitImplementation(
        trait=Readable,
        handlers={Readable.GetStream: read, Readable.GetSize: measure} if handlers is None else handlers,
        name=name,
        description="Reads files.",
    )


@pytest.fixture
def world():
    return World(load_plugins=False)


def test_a_trait_is_a_namespace_of_commands():
    """Its commands are the classes in it."""
    assert commands_of(Readable) == (GetStream, GetSize)


def test_other_classes_in_the_namespace_are_no_commands():
    """Where any class derives from Command, the others are no commands; where none does, all public ones are."""

    class Mixed(Trait):
        Ask = GetSize

        class Answer: ...

    class Plain(Trait):
        class Ask: ...

        class _Hidden: ...

    assert commands_of(Mixed) == (GetSize,)
    assert commands_of(Plain) == (Plain.Ask,)


def test_the_manager_makes_the_identifier(world):
    """``trait.identifier:Component``, by which trait and implementation are found, as text or as a value."""
    implementation = readable()

    identifier = world.trait_manager.register(implementation, Path)

    assert str(identifier) == "asset.content.readable:Path"
    assert world.trait_manager.get_implementation_by_id("asset.content.readable:Path") is implementation
    assert world.trait_manager.get_implementation_by_id(identifier) is implementation
    assert world.trait_manager.get_trait_by_id("asset.content.readable") is Readable
    assert world.trait_manager.get_trait_by_id(Readable.identifier) is Readable
    assert world.trait_manager.identifiers_of(implementation) == (identifier,)
    assert world.trait_manager.components_of(identifier) == (Path,)


def test_what_is_not_there_is_none(world):
    """Unknown names give nothing; they are no error."""
    assert world.trait_manager.get_trait_by_id("asset.operation") is None
    assert world.trait_manager.get_implementation_by_id("asset.operation:Path") is None
    assert world.trait_manager.get_implementations_for_trait(Readable) == []
    assert world.trait_manager.components_of("asset.operation:Path") == ()


@pytest.mark.parametrize("text", ["", "asset..operation", "asset.operation:", 7, None])
def test_malformed_identifiers_are_errors(world, text):
    """A text that names nothing at all is not looked up."""
    with pytest.raises(InvalidIdentifier):
        world.trait_manager.get_implementation_by_id(text)
    with pytest.raises(InvalidIdentifier):
        world.trait_manager.unregister(text)
    with pytest.raises(InvalidIdentifier):
        world.trait_manager.get_trait_by_id(text)


def test_one_component_is_enough_for_a_single_binding(world):
    """Any entity with the component has the trait, and none without."""
    implementation = readable()
    world.trait_manager.register(implementation, Path)
    file, other = world.create_entity(Path(), Offset()), world.create_entity(Offset())

    assert world.get_available_traits_for_entity(file) == [implementation]
    assert world.get_available_traits_for_entity(other) == []


def test_a_tuple_binding_needs_all_components(world):
    """Only an entity with every component of the tuple has the trait, and only while it has them."""
    implementation = readable()
    world.trait_manager.register(implementation, (ZipMember, Offset))
    entity = world.create_entity(ZipMember())

    assert world.get_available_traits_for_entity(entity) == []
    world.add_component(entity, Offset())
    assert world.get_available_traits_for_entity(entity) == [implementation]
    world.remove_component(entity, ZipMember)
    assert world.get_available_traits_for_entity(entity) == []


def test_component_subclasses_count(world):
    """A component of a subclass is one of the class, in a tuple too."""
    single, several = readable("one"), readable("two")
    world.trait_manager.register(single, Path)
    world.trait_manager.register(several, (Path, Offset))

    assert world.get_available_traits_for_entity(world.create_entity(NetworkPath())) == [single]
    assert world.get_available_traits_for_entity(world.create_entity(NetworkPath(), Offset())) == [single, several]


def test_a_subclass_of_a_bound_component_is_not_what_its_parent_is_bound_to(world):
    """A binding to the subclass says nothing of the parent."""
    world.trait_manager.register(readable(), NetworkPath)

    assert world.get_available_traits_for_entity(world.create_entity(Path())) == []


def test_an_implementation_with_two_bindings_is_found_once(world):
    """The same implementation may be bound to several components; an entity with both has it once."""
    implementation = readable()
    first = world.trait_manager.register(implementation, Path)
    second = world.trait_manager.register(implementation, Offset)

    assert world.get_available_traits_for_entity(world.create_entity(Path(), Offset())) == [implementation]
    assert world.trait_manager.get_implementations_for_trait(Readable) == [implementation]
    assert world.trait_manager.identifiers_of(implementation) == (first, second)


def test_the_order_of_a_tuple_does_not_matter(world):
    """The same components in another order are the same identity."""
    world.trait_manager.register(readable("first"), (ZipMember, Offset))

    with pytest.raises(DuplicateIdentity, match=r"'first' .* so 'second' .* cannot have it: unregister it first"):
        world.trait_manager.register(readable("second"), (Offset, ZipMember))


def test_a_second_registration_names_both(world):
    """The message says who has the identity and who wanted it, with the full paths of their components."""
    first = readable("first")
    world.trait_manager.register(first, Path)
    theirs = type("Path", (), {"__module__": "elsewhere"})

    with pytest.raises(DuplicateIdentity) as raised:
        world.trait_manager.register(readable("second"), theirs)

    assert str(raised.value) == (
        f"asset.content.readable:Path is taken by 'first' for {__name__}.Path, "
        "so 'second' for elsewhere.Path cannot have it: unregister it first"
    )
    assert world.trait_manager.get_implementation_by_id("asset.content.readable:Path") is first


def test_two_traits_of_one_identifier_are_an_error(world):
    """A trait's name is one class's; the message names both."""

    class Twin(Trait):
        identifier = TraitIdentifier.from_string("asset.content.readable")

    world.trait_manager.register(readable(), Path)

    with pytest.raises(DuplicateIdentity, match=r"taken by trait .*\.Readable, so trait .*\.Twin cannot have it"):
        world.trait_manager.register(TraitImplementation(Twin, {}, "twin"), Offset)


def test_handlers_become_systems(world):
    """A handler that the world does not know is registered for its command, marked or not."""
    world.trait_manager.register(readable(), Path)

    assert [each.target for each in world.systems.for_command(GetStream)] == [read]
    assert [each.target for each in world.systems.for_command(GetSize)] == [measure]


def test_a_handler_that_is_a_system_already_stays_that(world):
    """It is not registered twice, and stays when the implementation goes."""
    known = world.register_system(read, on_command=GetStream)
    identifier = world.trait_manager.register(readable(), Path)
    assert world.systems.for_command(GetStream) == (known,)

    world.trait_manager.unregister(identifier)

    assert tuple(world.systems) == (known,)


def test_a_handler_registered_later_on_its_own_stays(world):
    """Whoever registers it on its own keeps it, whichever came first."""
    identifier = world.trait_manager.register(readable(), Path)
    known = world.register_system(read, on_command=GetStream)

    world.trait_manager.unregister(identifier)

    assert tuple(world.systems) == (known,)


def test_a_handler_of_two_implementations_goes_with_the_last(world):
    """As long as one implementation names it, it is there."""
    first = world.trait_manager.register(readable("one"), Path)
    second = world.trait_manager.register(readable("two"), Offset)

    world.trait_manager.unregister(first)
    assert {each.target for each in world.systems} == {read, measure}
    world.trait_manager.unregister(second)
    assert len(world.systems) == 0


def test_unregister_gives_the_implementation_back(world):
    """Afterwards neither trait nor implementation is known, and it can be registered again."""
    implementation = readable()
    identifier = world.trait_manager.register(implementation, (Path, Offset))

    assert world.trait_manager.unregister(str(identifier)) is implementation

    assert world.trait_manager.identifiers() == ()
    assert world.trait_manager.get_trait_by_id("asset.content.readable") is None
    assert world.trait_manager.get_implementations_for_components([Path, Offset]) == []
    assert world.trait_manager.register(implementation, (Path, Offset)) == identifier


def test_unregistering_what_is_not_there_is_an_error(world):
    """It names what was asked."""
    with pytest.raises(InvalidImplementation, match=r"'asset\.operation:Path': is not registered"):
        world.trait_manager.unregister("asset.operation:Path")


def test_a_handler_for_a_foreign_command_is_an_error(world):
    """The message names the command and those that the trait has; nothing is registered."""

    @dataclass(frozen=True)
    class Foreign:
        entity_id: int

    with pytest.raises(
        InvalidImplementation, match=r"Foreign, which is no command of Readable \(its commands: GetStream, GetSize\)"
    ):
        world.trait_manager.register(readable(handlers={Foreign: read, GetSize: measure}), Path)

    assert (world.trait_manager.identifiers(), len(world.systems)) == ((), 0)


def test_missing_handlers_are_said(world, caplog):
    """An implementation need not handle all commands; which ones it does not is in the log and can be asked."""
    implementation = readable(handlers={Readable.GetStream: read})

    with caplog.at_level(logging.INFO, logger="dam_traits"):
        world.trait_manager.register(implementation, Path)

    assert caplog.messages == ["core.read_file (asset.content.readable:Path) has no handler for: GetSize"]
    assert implementation.missing == (GetSize,)


def wrong(cmd: GetSize, size: int) -> int:
    return size


@system(on_command=GetSize)
def marked_for_size(cmd: GetSize) -> int:
    return 3


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (wrong, "parameter cmd takes GetSize, and the system runs for GetStream"),
        (marked_for_size, "is marked to run for GetSize, so it cannot handle GetStream"),
        (lambda cmd: None, "parameter cmd has no annotation"),
    ],
)
def test_a_handler_that_cannot_handle_its_command_is_an_error(world, handler, message):
    """Said when it is registered; then neither the implementation nor another of its handlers is registered."""
    implementation = readable(handlers={Readable.GetSize: measure, Readable.GetStream: handler})

    with pytest.raises(InvalidSystem, match=message):
        world.trait_manager.register(implementation, Path)

    assert (world.trait_manager.identifiers(), len(world.systems)) == ((), 0)


def test_a_handler_marked_for_a_base_handles_the_command(world):
    """It is registered as it is marked."""

    class Any(Command[None]): ...

    class Wide(Trait):
        identifier = TraitIdentifier.from_string("wide")

        class Ask(Any): ...

    @system(on_command=Any)
    def handle(cmd: Any) -> None: ...

    world.trait_manager.register(TraitImplementation(Wide, {Wide.Ask: handle}, "wide"), Path)

    assert [each.target for each in world.systems.for_command(Any)] == [handle]
    assert [each.target for each in world.systems.for_command(Wide.Ask)] == [handle]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trait": int}, "its trait is a type: it must be a subclass of Trait"),
        ({"trait": Trait}, "its trait Trait has no identifier"),
        ({"name": ""}, "has no name"),
        ({"handlers": {GetSize: "measure"}}, "its handler of GetSize is 'measure': it must be a function or a class"),
        ({"handlers": {"GetSize": measure}}, "handles 'GetSize', which is no command of Readable"),
    ],
)
def test_an_implementation_that_makes_no_sense_is_an_error(world, change, message):
    """Each thing wrong is said."""
    values = {"trait": Readable, "handlers": {}, "name": "core.read_file"} | change

    with pytest.raises(InvalidImplementation, match=message):
        world.trait_manager.register(TraitImplementation(**values), Path)

    assert world.trait_manager.identifiers() == ()


@pytest.mark.parametrize(
    ("components", "error", "message"),
    [
        ((), InvalidImplementation, "is bound to no component"),
        ("Path", InvalidImplementation, "is bound to 'Path': it must be a component class or a tuple of them"),
        ((Path, Path()), InvalidImplementation, "is bound to a Path"),
        ((Path, Path), InvalidIdentifier, "one is named twice"),
    ],
)
def test_components_that_make_no_sense_are_an_error(world, components, error, message):
    """A binding is to classes, each once."""
    with pytest.raises(error, match=message):
        world.trait_manager.register(readable(), components)

    assert (world.trait_manager.identifiers(), len(world.systems)) == ((), 0)


def test_implementations_of_a_derived_trait_are_found_by_its_parent(world):
    """What implements a subclass handles the parent's commands as well."""

    class Seekable(Readable):
        identifier = TraitIdentifier.from_string("asset.content.seekable")

    derived = TraitImplementation(Seekable, {GetStream: read, GetSize: measure}, "core.seek_file")
    world.trait_manager.register(derived, Offset)
    plain = readable()
    world.trait_manager.register(plain, Path)

    assert world.trait_manager.get_implementations_for_trait(Readable) == [derived, plain]
    assert world.trait_manager.get_implementations_for_trait(Seekable) == [derived]


def test_a_manager_without_a_world_keeps_the_books():
    """It needs no world, and then checks no handler's parameters."""
    manager = TraitManager()
    implementation = readable()

    identifier = manager.register(implementation, (ZipMember, Offset))

    assert identifier == TraitImplementationIdentifier(Readable.identifier, ("Offset", "ZipMember"))
    assert manager.get_implementations_for_components({ZipMember, Offset, Path}) == [implementation]
