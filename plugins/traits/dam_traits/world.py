"""
`World`: where entities, systems, traits and resources meet.

A facade: it holds the parts and passes on. How a command is run is the scheduler's
business, where it runs the executor's, what it may use the pools', and what was learned of
it the profiles'.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import pluggy

from dam_traits import hookspecs, steps
from dam_traits.adoption import Adoption
from dam_traits.commands import Command, ResultT
from dam_traits.components import ComponentStorage, MemoryStorage, check_component, check_component_class
from dam_traits.errors import InvalidSetting, MissingResource, WrongThread, shown
from dam_traits.executor import SystemExecutor, make_executor, thread_waits
from dam_traits.learning import ProfileStore, Totals
from dam_traits.plugin import Plugins
from dam_traits.pools import ResourcePools
from dam_traits.registration import register
from dam_traits.registry import SystemRegistry
from dam_traits.resources import Resources
from dam_traits.scheduler import WorldScheduler
from dam_traits.strategies import RunAll
from dam_traits.system import CalculateTraits, RunIn, System, make_options, options_of, put_over
from dam_traits.trait_manager import TraitImplementation, TraitManager

if TYPE_CHECKING:
    from dam_traits.execution import Execution
    from dam_traits.learning import ExecutionObserver
    from dam_traits.report import SchedulingReport
    from dam_traits.strategies import AllocationStrategy

ComponentT = TypeVar("ComponentT")
ResourceT = TypeVar("ResourceT")
Target = System | Callable[..., Any] | str
"""A system: itself, its name, or the function or class that was registered."""


class World:
    """Entities with components, and the systems that work on them."""

    def __init__(
        self,
        name: str = "world",
        *,
        executor: SystemExecutor | str = "local",
        strategy: AllocationStrategy | None = None,
        capacities: Mapping[str, int] | None = None,
        profiles: Path | str | None = None,
        storage: ComponentStorage | None = None,
        traits_timeout_s: float = 1.0,
        load_plugins: bool = True,
    ) -> None:
        """
        Make an empty world.

        Args:
            name: For people: errors and reports name it.
            executor: Where systems run: ``"local"``, ``"dask"``, or one of your own.
            strategy: Which of several systems handle a command; `None`: all, in order of priority.
            capacities: Pool path to how much of it there is; a pool without one is not limited.
            profiles: An SQLite file that keeps what was learned of systems; `None`: it is forgotten with the world.
            storage: Keeps entities and components; `None`: in memory.
            traits_timeout_s: How long a system's ``calculate_traits`` may take.
            load_plugins: Whether plugins that distributions bring by the entry-point group ``dam_traits`` are added.

        Raises:
            InvalidSetting: One of these cannot be meant.
        """
        _check(name, executor, strategy, profiles, traits_timeout_s)
        self.name = name
        self.traits_timeout_s = traits_timeout_s
        self.storage: ComponentStorage = MemoryStorage() if storage is None else storage
        self.systems = SystemRegistry()
        self.resources = Resources()
        self._adoption = Adoption(self)
        self.trait_manager = TraitManager(self._adoption)
        self.pools = ResourcePools(capacities)
        self.strategy: AllocationStrategy = RunAll() if strategy is None else strategy
        self.profiles = ProfileStore(None if profiles is None else Path(profiles))
        self.totals = Totals()
        self.observers: list[ExecutionObserver] = [self.profiles, self.totals]
        self.plugin_manager = pluggy.PluginManager(hookspecs.PROJECT)
        self.plugin_manager.add_hookspecs(hookspecs)
        self.plugin_manager.register(steps, "dam_traits.steps")
        self.executor = make_executor(self, executor) if isinstance(executor, str) else executor
        self.scheduler = WorldScheduler(self)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._plugins = Plugins(self)
        if load_plugins:
            self._plugins.load()
        worlds.add(self)

    # -- plugins and resources

    def add_plugin(self, plugin: Any) -> Self:
        """
        Let a plugin build into this world, and register the hooks that it implements.

        A second plugin of a class that was added before does nothing, so that plugins can each add
        those that they need. If ``build`` raises, nothing of the plugin stays.
        """
        self._plugins.add(plugin)
        return self

    def add_resource(self, instance: object, resource_type: type | None = None) -> Self:
        """Share an instance with systems, under its type or a given one; it replaces one that was there."""
        self.resources.add(instance, resource_type)
        return self

    def get_resource(self, resource_type: type[ResourceT]) -> ResourceT:
        """
        Give the resource of this type, or the first of a subclass.

        Raises:
            MissingResource: There is none.
        """
        for found in self.resources.find(resource_type):
            return found
        raise MissingResource(self.name, getattr(resource_type, "__qualname__", repr(resource_type)))

    def has_resource(self, resource_type: type) -> bool:
        """Say whether there is a resource of this type or of a subclass."""
        return bool(self.resources.find(resource_type))

    def check(self) -> None:
        """
        Say now, instead of when they are first needed, which resources are missing.

        Raises:
            MissingResource: Systems need them; all of both are named.
        """
        missing: dict[str, None] = {}
        needed_by: dict[str, None] = {}
        for system in self.systems:
            for group in system.requires:
                if not any(self.has_resource(each) for each in group):
                    missing[" or ".join(each.__qualname__ for each in group)] = None
                    needed_by[system.name] = None
        if missing:
            raise MissingResource(self.name, " and ".join(missing), " and ".join(needed_by))

    # -- systems

    def register_system(
        self,
        target: Any,
        *,
        on_command: type | None = None,
        on_event: type | None = None,
        on_stage: str | None = None,
        run_in: RunIn | str | None = None,
        calculate_traits: CalculateTraits | None = None,
    ) -> System:
        """
        Make a system of a function or class; what is not given here is what `@system` said of it.

        The same one twice for the same thing is one system: the one that is there is given back.

        Raises:
            InvalidSystem: It could never run; the parameter at fault is named.
        """
        given = make_options(
            getattr(target, "__qualname__", shown(target)),
            on_command=on_command,
            on_event=on_event,
            on_stage=on_stage,
            run_in=run_in,
            calculate_traits=calculate_traits,
        )
        system, _ = register(self, target, put_over(options_of(target), given))
        self._adoption.keep(system)
        return system

    def unregister_system(self, target: Target) -> None:
        """Let go of a system, or of all that were made of a function or class; what runs goes on."""
        found = (target,) if isinstance(target, System) else self._find_systems(target)
        for system in found:
            self.systems.remove(system)

    # -- entities

    def create_entity(self, *components: Any) -> int:
        """Make an entity with these components and give its id."""
        for component in components:
            check_component(component)
        entity_id = self.storage.create()
        for component in components:
            self.storage.put(entity_id, component)
        return entity_id

    def delete_entity(self, entity_id: int) -> None:
        """Forget an entity and its components."""
        self.storage.delete(entity_id)

    def add_component(self, entity_id: int, component: Any) -> None:
        """Give an entity a component; it takes the place of one of the very same class."""
        check_component(component)
        self.storage.put(entity_id, component)

    def remove_component(self, entity_id: int, component_type: type) -> bool:
        """Take the component of this very class from an entity; say whether there was one."""
        check_component_class(component_type)
        return self.storage.take(entity_id, component_type)

    def get_component(self, entity_id: int, component_type: type[ComponentT]) -> ComponentT | None:
        """Give an entity's component of this class, or the oldest one of a subclass; `None`: it has none."""
        check_component_class(component_type)
        components = self.storage.components(entity_id)
        if component_type in components:
            return components[component_type]  # type: ignore[no-any-return] # kept by its class
        return next((each for each in components.values() if isinstance(each, component_type)), None)

    @overload
    def get_components(self, entity_id: int) -> list[Any]: ...

    @overload
    def get_components(self, entity_id: int, component_type: type[ComponentT]) -> list[ComponentT]: ...

    def get_components(self, entity_id: int, component_type: type = object) -> list[Any]:
        """Give an entity's components, oldest first; with a class only those of it and of its subclasses."""
        check_component_class(component_type)
        return [each for each in self.storage.components(entity_id).values() if isinstance(each, component_type)]

    def component_types(self, entity_id: int) -> set[type]:
        """Give the classes of an entity's components."""
        return set(self.storage.components(entity_id))

    def entities_with(self, *component_types: type) -> list[int]:
        """Give the entities that have a component of each of these classes; subclasses count."""
        return [
            entity_id
            for entity_id in self.storage.entities()
            if all(self.get_component(entity_id, each) is not None for each in component_types)
        ]

    def get_available_traits_for_entity(self, entity_id: int) -> list[TraitImplementation]:
        """Give what implements traits for an entity, by the components that it has now."""
        return self.trait_manager.get_implementations_for_components(self.component_types(entity_id))

    # -- running

    @overload
    def dispatch_command(
        self, command: Command[ResultT], target_system: Target | None = None
    ) -> Execution[ResultT]: ...

    @overload
    def dispatch_command(self, command: object, target_system: Target | None = None) -> Execution[Any]: ...

    def dispatch_command(self, command: Any, target_system: Target | None = None) -> Execution[Any]:
        """
        Ask for a command to be run. Nothing runs before the first result is asked for.

        Args:
            command: A value of any class that systems are registered for.
            target_system: This one runs, and nothing is selected: the system, its name, or its function or class.
        """
        return self.scheduler.dispatch_command(command, target_system)

    def dispatch_event(self, event: Any) -> Execution[Any]:
        """Tell all systems of an event, when the first result is asked for; none that listens is no error."""
        return self.scheduler.run(self.systems.for_event(type(event)), event)

    def run_stage(self, stage: str) -> Execution[Any]:
        """Run all systems of a stage, when the first result is asked for; none is no error."""
        return self.scheduler.run(self.systems.for_stage(stage), stage)

    async def debug_dispatch(self, command: Any) -> SchedulingReport:
        """Say what `dispatch_command` would do, and why; nothing is executed."""
        return await self.scheduler.debug_dispatch(command)

    @overload
    def call_command(
        self, command: Command[ResultT], target_system: Target | None = None, *, timeout_s: float | None = None
    ) -> list[ResultT]: ...

    @overload
    def call_command(
        self, command: object, target_system: Target | None = None, *, timeout_s: float | None = None
    ) -> list[Any]: ...

    def call_command(
        self, command: Any, target_system: Target | None = None, *, timeout_s: float | None = None
    ) -> list[Any]:
        """
        Run a command on the world's loop from a thread, and wait for all of its results.

        For a sync system, which cannot await. A command that needs the pools its caller holds may wait for ever.

        Raises:
            WrongThread: This thread runs an event loop, or the world's is not running.
            TimeoutError: `timeout_s` is up; what ran for the command is cancelled.
        """
        loop = self._loop_to_call()
        future = asyncio.run_coroutine_threadsafe(self._all_results(command, target_system), loop)
        try:
            with thread_waits():
                return future.result(timeout_s)
        except BaseException:
            future.cancel()
            raise

    def note_loop(self) -> None:
        """Remember the loop that this runs on, for `call_command`; the scheduler says so where an execution begins."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop and (self._loop is None or not self._loop.is_running()):
            self._loop = loop

    async def aclose(self) -> None:
        """Let go of what the executor holds and write what was learned; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await self.executor.aclose()
        finally:
            self.profiles.close()

    async def __aenter__(self) -> Self:
        self.note_loop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<World {self.name}: {len(self.systems)} systems>"

    # -- within

    def _find_systems(self, target: Any) -> tuple[System, ...]:
        if not isinstance(target, str):
            return self.systems.by_target(target)
        found = self.systems.by_name(target)
        return () if found is None else (found,)

    def _loop_to_call(self) -> asyncio.AbstractEventLoop:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise WrongThread(
                "call_command would block the event loop of this thread: await dispatch_command(...) there"
            )
        if self._loop is None or not self._loop.is_running():
            raise WrongThread(
                f"world {shown(self.name)} runs on no event loop now: call_command is for threads beside one"
            )
        return self._loop

    async def _all_results(self, command: Any, target_system: Target | None) -> list[Any]:
        results: list[Any] = await self.dispatch_command(command, target_system).get_all_results()
        return results


worlds: weakref.WeakSet[World] = weakref.WeakSet()
"""The worlds of this process, for who shows their pools."""


def _check(name: Any, executor: Any, strategy: Any, profiles: Any, traits_timeout_s: Any) -> None:
    is_number = isinstance(traits_timeout_s, int | float) and not isinstance(traits_timeout_s, bool)
    checks = (
        ("name", name, "a text of at least one character", isinstance(name, str) and name),
        ("executor", executor, "a name or a SystemExecutor", isinstance(executor, str | SystemExecutor)),
        ("strategy", strategy, "a callable such as Cheapest()", strategy is None or callable(strategy)),
        ("profiles", profiles, "a path", profiles is None or isinstance(profiles, str | Path)),
        ("traits_timeout_s", traits_timeout_s, "a number of seconds above 0", is_number and traits_timeout_s > 0),
    )
    for setting, value, expected, holds in checks:
        if not holds:
            raise InvalidSetting("World", setting, value, expected)
