"""
Find plugins, keep them from hurting anybody, and call their hooks.

A plugin is a distribution with an entry point in group ``dam_obs``; what dam-obs ships
are plugins too, registered first and so asked last. There are three sides, each with a
manager of its own, so that a program never imports what only an analysis needs.

A plugin that does not import, or implements a hook wrongly, is left out, logged once and
counted as a fault ``plugins.<name>``. pluggy ends a hook call at the first exception, so
hooks are called here one implementation at a time, each under a guard: use `call_each`
and `call_first`, not ``manager.hook``. Wrappers around hooks are therefore not supported.

What the hooks mean is said in `hookspecs`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import pluggy

from dam_obs import hookspecs
from dam_obs.config import Settings, load_settings
from dam_obs.errors import DamObsError
from dam_obs.trace import faults

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "dam_obs"
"""The entry-point group."""

Side = Literal["host", "analysis", "cli"]

BUILT_IN: Final[dict[Side, tuple[str, ...]]] = {
    "host": ("dam_obs.sinks.builtin",),
    "analysis": (
        "dam_obs.sinks.builtin",
        "dam_obs.store.builtin",
        "dam_obs.diagnose.builtin",
        "dam_obs.draft.builtin",
        "dam_obs.cli.builtin",
    ),
    "cli": ("dam_obs.cli.builtin",),
}
"""Modules that dam-obs ships as plugins, by side; on the side ``cli`` only commands are asked for."""

STALL_SECONDS = 1.0
"""A hook implementation that takes longer is counted as a fault ``plugins.<name>.<hook>.slow``."""


@dataclass(frozen=True, slots=True)
class PluginState:
    """What became of a plugin, for `dam-obs doctor`."""

    name: str
    state: Literal["loaded", "failed", "off"]
    says: str = ""
    """Why it is not loaded, or what of it is ignored."""

    distribution: str = ""
    """Name and version of what was pip-installed; empty for what dam-obs ships."""

    hooks: tuple[str, ...] = ()
    """The hooks that it implements."""


class DamPluginManager(pluggy.PluginManager):
    """A plugin manager that remembers what became of each plugin."""

    def __init__(self) -> None:
        super().__init__(GROUP)
        self.states: list[PluginState] = []
        self.add_hookspecs(hookspecs)


class PluginRefused(DamObsError):
    """A plugin implements something that the contract does not have."""


_managers: dict[tuple[Side, bool, tuple[str, ...]], DamPluginManager] = {}


def plugin_manager(side: Side, settings: Settings | None = None) -> DamPluginManager:
    """
    Return the plugins of a side, found and registered at the first call.

    Args:
        side: ``host`` inside an observed program, ``analysis`` where runs are read, ``cli`` for commands alone.
        settings: Say which plugins are off; without it the settings of the current folder and environment count.
    """
    settings = settings or load_settings(lenient=True).settings
    key = (side, settings.plugins, settings.plugins_off)
    if key not in _managers:
        # Two threads may both build one, and the first is kept. A lock could deadlock with the import lock.
        _managers.setdefault(key, _build(side, settings))
    return _managers[key]


def forget() -> None:
    """Build managers anew at the next call: after plugins were installed, and between tests."""
    _managers.clear()
    _implementation.cache_clear()


def _build(side: Side, settings: Settings) -> DamPluginManager:
    manager = DamPluginManager()
    for module in BUILT_IN[side]:
        _register_built_in(manager, module)
    if settings.plugins:
        for entry_point in _entry_points():
            _register_installed(manager, entry_point, settings.plugins_off)
    return manager


# -- registering


def _register_built_in(manager: DamPluginManager, module: str) -> None:
    with faults.guard(f"plugins.{module}"):
        register(manager, importlib.import_module(module), module)


def _entry_points() -> list[EntryPoint]:
    """Return the entry points, ordered by name, so that it does not matter what was installed first."""
    from importlib.metadata import entry_points

    found: list[EntryPoint] = []
    with faults.guard("plugins"):
        found.extend(sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)))
    return found


def _register_installed(manager: DamPluginManager, entry_point: EntryPoint, off: Collection[str]) -> None:
    name = entry_point.name
    distribution = _distribution_of(entry_point)
    if name in off:
        manager.states.append(PluginState(name, "off", "named in plugins_off", distribution))
        return

    with faults.guard(f"plugins.{name}", f"plugin {name} of {distribution or 'an unknown distribution'}"):
        try:
            register(manager, _load(entry_point), name, distribution)
        except Exception as error:
            manager.states.append(PluginState(name, "failed", _in_one_line(error), distribution))
            raise


def _load(entry_point: EntryPoint) -> object:
    try:
        return entry_point.load()
    except SystemExit as error:  # not the program's wish to end, but a module's that should not have been imported
        raise PluginRefused(f"plugin {entry_point.name}: its import ended the interpreter ({error.code})") from error


def _in_one_line(error: Exception) -> str:
    if isinstance(error, DamObsError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _distribution_of(entry_point: EntryPoint) -> str:
    return f"{entry_point.dist.name} {entry_point.dist.version}" if entry_point.dist is not None else ""


def register(manager: DamPluginManager, plugin: object, name: str, distribution: str = "") -> None:
    """
    Register a plugin after checking what it implements.

    Raises:
        PluginRefused: The name is taken, or an implementation does not fit its hook; nothing is registered.
    """
    if manager.has_plugin(name):
        raise PluginRefused(f"plugin {name}: another plugin has this name already; leave one out with plugins_off")
    if manager.is_registered(plugin):
        raise PluginRefused(f"plugin {name}: it is registered already as {manager.get_name(plugin)}")
    unknown = _check(manager, plugin, name)
    manager.register(plugin, name)
    hooks = tuple(sorted(hook.name for hook in manager.get_hookcallers(plugin) or () if hook.has_spec()))
    if unknown:
        faults.count(f"plugins.{name}")
    manager.states.append(PluginState(name, "loaded", "; ".join(unknown), distribution, hooks))


def _check(manager: DamPluginManager, plugin: object, name: str) -> list[str]:
    """Return what of a plugin is ignored, since no hook has that name; refuse what does not fit its hook."""
    unknown = []
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is None:
            continue
        hook = options.get("specname") or attribute
        caller = getattr(manager.hook, hook, None)
        if caller is None or not caller.has_spec():
            if not options.get("optionalhook"):
                from difflib import get_close_matches  # costly, and seldom needed

                nearest = get_close_matches(hook, _hook_names(manager), n=1)
                hint = f", did you mean {nearest[0]}?" if nearest else ""
                unknown.append(f"dam-obs has no hook {hook}{hint}")
            continue
        implementation = getattr(plugin, attribute)
        _check_one(name, hook, implementation, caller.spec.function, options)
    return unknown


def _check_one(
    name: str, hook: str, implementation: Callable[..., object], spec: Callable[..., object], options: Any
) -> None:
    shown = f"plugin {name}: {hook}{_signature(implementation)}"
    if options.get("wrapper") or options.get("hookwrapper"):
        raise PluginRefused(f"{shown} is a wrapper, but each implementation is called by itself: make it a plain one")
    given = inspect.signature(spec).parameters
    surplus = [
        parameter.name
        for parameter in inspect.signature(implementation).parameters.values()
        if parameter.name not in given
        and parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if surplus:
        raise PluginRefused(f"{shown} asks for {', '.join(surplus)}, but the hook is {hook}{_signature(spec)}")


def _signature(function: Callable[..., object]) -> str:
    return "(" + ", ".join(inspect.signature(function).parameters) + ")"


def _hook_names(manager: DamPluginManager) -> list[str]:
    return [name for name in vars(manager.hook) if getattr(manager.hook, name).has_spec()]


# -- calling


class Implementation(msgspec.Struct, frozen=True):
    """One plugin's implementation of a hook."""

    plugin: str
    hook: str
    function: Callable[..., Any]

    arguments: tuple[str, ...]
    """The arguments of the hook that it asks for."""

    guard: faults.Guard
    """To be put around a call: a fault is counted for the plugin and the hook."""

    def __call__(self, given: Mapping[str, Any]) -> Any:
        """Call it with what it asks for of `given`; what it raises is the caller's to guard."""
        started = monotonic()
        result = self.function(*[given[name] for name in self.arguments])
        if monotonic() - started > STALL_SECONDS:
            faults.count(f"plugins.{self.plugin}.{self.hook}.slow")
        return result


def implementations(manager: pluggy.PluginManager, hook_name: str) -> Iterator[Implementation]:
    """Yield the implementations of a hook in the order in which they are asked: the last registered first."""
    caller: pluggy.HookCaller = getattr(manager.hook, hook_name)
    for each in reversed(caller.get_hookimpls()):
        yield _implementation(each, hook_name)


@lru_cache(maxsize=512)  # a sink's hook is called for every event
def _implementation(implementation: pluggy.HookImpl, hook_name: str) -> Implementation:
    plugin, arguments = implementation.plugin_name, tuple(implementation.argnames)
    detail = f"plugin {plugin}, {hook_name}({', '.join(arguments)})"
    guard = faults.guard(f"plugins.{plugin}.{hook_name}", detail)
    return Implementation(plugin, hook_name, implementation.function, arguments, guard)


def call_each(manager: pluggy.PluginManager, hook_name: str, /, **given: Any) -> list[Any]:
    """Ask every implementation; return what they answered, without `None`. One that raises is left out."""
    results = []
    for implementation in implementations(manager, hook_name):
        with implementation.guard:
            result = implementation(given)
            if result is not None:
                results.append(result)
    return results


def call_first(manager: pluggy.PluginManager, hook_name: str, if_one_raises: Any = None, /, **given: Any) -> Any:
    """
    Ask one implementation after the other until one answers something other than `None`.

    Args:
        manager: The plugins to ask.
        hook_name: The hook.
        if_one_raises: The answer if an implementation raises; `None` asks the next one.
        **given: The arguments of the hook.
    """
    for implementation in implementations(manager, hook_name):
        result = if_one_raises
        with implementation.guard:
            result = implementation(given)
        if result is not None:
            return result
    return None
