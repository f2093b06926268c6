"""
Watch the hook calls of pluggy hosts: each call is a span, and nothing about it changes.

A hook that a trace point names becomes that point; every other one a span of the layer
``system`` with the project as its component, unless a file of that project wants named
ones only. A call that nobody implements is no span. A hook is synchronous even where its
work is not: if what it returns is a coroutine, a generator or an async generator, the
span ends when that does.
"""

from __future__ import annotations

import copy
import functools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import pluggy

from dam_obs.plugins import GROUP
from dam_obs.points.arguments import Parameters
from dam_obs.points.conventions import standard_of
from dam_obs.points.model import HookName, Target, TracePoint, TracePointFile
from dam_obs.points.reading import PointReader, compile_reader
from dam_obs.points.together import Together
from dam_obs.trace import faults, ids, meter
from dam_obs.trace.capture import capture
from dam_obs.trace.context import get_current
from dam_obs.trace.site import CallSite, site
from dam_obs.trace.span import begin, unwanted
from dam_obs.trace.steps import LAZY, READING, follow
from dam_obs.trace.tracer import tracer

PLUGINS_SHOWN: Final = 16
"""Names of plugins that a span of an unnamed hook carries."""

_GUARD: Final = faults.guard("points.hosts")
_observations: weakref.WeakSet[Observation] = weakref.WeakSet()


class _Plan:
    """What becomes of one hook's calls."""

    __slots__ = ("_described", "_impls", "is_named", "reader", "site")

    def __init__(self, where: CallSite, reader: PointReader | None, *, is_named: bool) -> None:
        self.site = where
        self.reader = reader
        self.is_named = is_named
        self._impls: Sequence[Any] = []
        self._described: dict[str, Any] = {}

    def described(self, impls: Sequence[Any]) -> dict[str, Any]:
        """Say who implements a hook that no trace point names; the answer is made anew only when that changes."""
        if impls != self._impls:
            names = [_plugin_name(impl) for impl in impls[:PLUGINS_SHOWN]]
            more = len(impls) - len(names)
            shown = ", ".join(names) + (f", … {more} more" if more > 0 else "")
            self._described = {"implementations": len(impls), "plugins": capture(shown)}
            self._impls = impls
        return self._described.copy()


def _plugin_name(impl: Any) -> str:
    """Name a plugin; one that was registered without a name has its `id` for one, which says nothing."""
    name = str(impl.plugin_name)
    return type(impl.plugin).__qualname__ if name == str(id(impl.plugin)) else name


class _Open:
    """The span of a hook call that has not returned."""

    __slots__ = ("plan", "span", "stretch")

    def __init__(self, plan: _Plan) -> None:
        self.plan = plan
        self.span = begin(plan.site, get_current())
        self.stretch: meter.Stretch | None = None
        self.span.__enter__()
        if meter.measuring and self.span.recording:
            self.span.meter = meter.Meter(self.span.span_id, plan.site)
            # Also where an event loop runs: a hook is called and returns without a suspension between.
            self.stretch = meter.Stretch()

    def leave(self) -> None:
        """Be current no more; the call has returned."""
        if self.stretch is not None and self.span.meter is not None:
            self.stretch.end(self.span.meter)
        self.span.leave()


class _Calls:
    """The spans of one hook call, and its implementations as they were."""

    __slots__ = ("impls", "spans")

    def __init__(self) -> None:
        self.spans: list[_Open] = []
        self.impls: list[Any] | None = None

    def tag(self, hook_impls: Sequence[Any]) -> None:
        """
        Have the implementations run under the name of the innermost span, for a sampler to see it on the stack.

        The list is the call's own: pluggy makes one for each. `untag` leaves it as it was, so that whoever else watches
        the call sees the very implementations.
        """
        innermost = self.spans[-1].span.meter if self.spans else None
        if innermost is not None and type(hook_impls) is list:
            self.impls = hook_impls.copy()
            hook_impls[:] = [_tagged(impl, innermost) for impl in self.impls]

    def untag(self, hook_impls: Sequence[Any]) -> None:
        """Put the implementations back."""
        if self.impls is not None and type(hook_impls) is list:
            hook_impls[:] = self.impls


def _tagged(impl: Any, of: meter.Meter) -> Any:
    if impl.wrapper or impl.hookwrapper:
        return impl  # it is a generator, which goes on after the others
    function, call = impl.function, of.call
    tagged = copy.copy(impl)
    tagged.function = lambda *args, **kwargs: call(function, args, kwargs)
    return tagged


class Observation:
    """The watch over one plugin manager, until `stop`; also a context manager."""

    def __init__(
        self,
        manager: pluggy.PluginManager,
        named: Mapping[str, Sequence[tuple[TracePoint, Target]]],
        *,
        only_named: bool = False,
    ) -> None:
        self.manager = manager
        self._named = named
        self._only_named = only_named
        self._plans: dict[str, tuple[_Plan, ...]] = {}
        self._open = threading.local()
        self._is_on = True
        self._undo = manager.add_hookcall_monitoring(self._before, self._after)
        # pluggy's undo puts back what was there before us, even over a monitor that came after us.
        self._installed = getattr(manager, "_inner_hookexec", None)

    def stop(self) -> None:
        """Watch no more. The manager is as it was, unless another monitor stands on top: then ours does nothing."""
        if not self._is_on:
            return
        self._is_on = False
        _observations.discard(self)
        if getattr(self.manager, "_inner_hookexec", None) is self._installed:
            self._undo()

    def __enter__(self) -> Observation:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- around a hook call

    def _calls(self) -> list[_Calls]:
        """Return the calls that this thread is in, the innermost last."""
        try:
            calls: list[_Calls] = self._open.calls
        except AttributeError:
            calls = self._open.calls = []
        return calls

    def _before(self, hook_name: str, hook_impls: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        opened = _Calls()
        self._calls().append(opened)
        if not hook_impls or not tracer.enabled or not self._is_on or unwanted(get_current()):
            return
        with _GUARD:
            plans = self._plans.get(hook_name)
            for plan in self._make_plans(hook_name) if plans is None else plans:
                if plan.site.debug and not tracer.with_debug:
                    continue
                call = _Open(plan)
                opened.spans.append(call)
                if not call.span.recording:
                    continue
                if plan.reader is not None:
                    plan.reader.enter(call.span, (), kwargs)  # type: ignore[arg-type]
                elif not plan.is_named:
                    call.span.data = plan.described(hook_impls)
            if meter.measuring:
                opened.tag(hook_impls)

    def _after(
        self, outcome: pluggy.Result[Any], hook_name: str, hook_impls: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        with _GUARD:
            opened = self._calls().pop()
            opened.untag(hook_impls)
            for call in reversed(opened.spans):
                _close(call, outcome)

    def _make_plans(self, hook_name: str) -> tuple[_Plan, ...]:
        project = str(self.manager.project_name)
        named = [
            (point, target)
            for point, target in self._named.get(hook_name, ())
            if isinstance(target.place, HookName) and target.place.project in (None, project)
        ]
        plans = tuple(_named_plan(point, target, project) for point, target in named)
        if not plans and not self._only_named:
            plans = (_Plan(site("system", hook_name, project), None, is_named=False),)
        self._plans[hook_name] = plans
        return plans


def _named_plan(point: TracePoint, target: Target, project: str) -> _Plan:
    reader, unreadable = compile_reader(point, target, Parameters(None, is_method=False))
    for _ in unreadable:
        faults.count(f"points.{point.name}.unreadable")
    where = site(
        point.layer.code,
        point.operation,
        project,
        level=point.level,
        own_threads=point.own_threads,
        fold_below_ns=point.fold_below_us * 1000,
        standard=standard_of(target.attributes),
    )
    return _Plan(where, reader, is_named=True)


def _close(call: _Open, outcome: pluggy.Result[Any]) -> None:
    """End the span of a call, or let it end with the work that the call returned."""
    ended = ids.monotonic_ns()
    call.leave()
    span, reader = call.span, call.plan.reader
    error = outcome.exception
    if error is not None:
        span.finish(error)
        return
    result = outcome.get_result()
    if type(result) in LAZY:
        outcome.force_result(follow(span, result, reader))
    elif type(result) is list and any(type(each) in LAZY for each in result):
        outcome.force_result(Together(span, result, reader).results())
    else:
        if reader is not None and span.recording:
            with READING:
                reader.leave(span, result)
        span.finish(at_ns=ended)


# -- which managers


def observe(plugin_manager: pluggy.PluginManager, files: Iterable[TracePointFile] = ()) -> Observation:
    """
    Make a span of every hook call of a plugin manager; one that is observed already stays observed as it is.

    Args:
        plugin_manager: Any pluggy host's.
        files: Trace points whose targets name hooks.
    """
    for observation in list(_observations):
        if observation.manager is plugin_manager:
            return observation
    files = tuple(files)
    only_named = any(file.only_named and file.host == plugin_manager.project_name for file in files)
    observation = Observation(plugin_manager, _by_hook(files), only_named=only_named)
    _observations.add(observation)
    return observation


def _by_hook(files: Iterable[TracePointFile]) -> dict[str, list[tuple[TracePoint, Target]]]:
    named: dict[str, list[tuple[TracePoint, Target]]] = {}
    for point, target in hook_targets(files):
        if isinstance(target.place, HookName):
            named.setdefault(target.place.hook, []).append((point, target))
    return named


def hook_targets(files: Iterable[TracePointFile]) -> Iterator[tuple[TracePoint, Target]]:
    """Yield the targets that are hooks, with their points."""
    for file in files:
        for point in file.points:
            for target in point.targets:
                if isinstance(target.place, HookName):
                    yield point, target


def is_observed(name: HookName) -> bool:
    """Say whether an observed manager has this hook."""
    return any(
        name.project in (None, observation.manager.project_name) and hasattr(observation.manager.hook, name.hook)
        for observation in list(_observations)
    )


class ManagerWatch:
    """Observes every plugin manager that the process makes, from `open` to `close`."""

    def __init__(self, files: Iterable[TracePointFile]) -> None:
        self._files = tuple(files)
        self._mine: weakref.WeakSet[Observation] = weakref.WeakSet()
        self._original: Callable[..., None] = pluggy.PluginManager.__init__
        self._installed: Callable[..., None] | None = None

    def open(self) -> ManagerWatch:
        """Begin."""
        original = self._original = pluggy.PluginManager.__init__

        @functools.wraps(original)
        def __init__(manager: pluggy.PluginManager, *args: Any, **kwargs: Any) -> None:
            original(manager, *args, **kwargs)
            if self._installed is not None:
                with _GUARD:
                    self._observe(manager)

        self._installed = __init__
        pluggy.PluginManager.__init__ = __init__  # type: ignore[method-assign,assignment]
        return self

    def _observe(self, manager: pluggy.PluginManager) -> None:
        if manager.project_name != GROUP:  # our own
            self._mine.add(observe(manager, self._files))

    def close(self) -> None:
        """Observe no more, neither old managers nor new ones."""
        installed, self._installed = self._installed, None
        if installed is not None and pluggy.PluginManager.__init__ is installed:
            pluggy.PluginManager.__init__ = self._original  # type: ignore[method-assign]
        for observation in list(self._mine):
            with suppress(ReferenceError):
                observation.stop()
