"""
Trace a callable that is no plain function: written in C, cached, or wrapped by somebody's descriptor.

A proxy shows everything of the callable it stands for (``cache_clear``, signature,
attributes) and binds as it binds, at the price of a slower call. Plain functions get the
closure of `dam_obs.trace.wrap` instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import wrapt

from dam_obs.trace.wrap import wrap

if TYPE_CHECKING:
    from dam_obs.trace.site import CallSite
    from dam_obs.trace.span import Span
    from dam_obs.trace.steps import Reader

    Proxy = wrapt.ObjectProxy[Any]
else:
    Proxy = wrapt.ObjectProxy

Call = Callable[[Callable[..., Any], tuple[Any, ...], tuple[Any, ...], dict[str, Any]], Any]


def traced_callable(wrapped: Any, site: CallSite, reader: Reader | None) -> TracedCallable:
    """Return a proxy of `wrapped` with a span around each call."""
    return TracedCallable(wrapped, wrap(_call, site, _Inner(reader) if reader is not None else None))


def _call(
    function: Callable[..., Any], owner: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any], /
) -> Any:
    return function(*args, **kwargs)


class _Inner:
    """Hands a reader the arguments of the call inside `_call`, with ``self`` first where there is one."""

    __slots__ = ("_reader",)

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def enter(self, span: Span, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Hand on."""
        _, owner, inner_args, inner_kwargs = args
        self._reader.enter(span, (*owner, *inner_args), inner_kwargs)

    def leave(self, span: Span, result: Any) -> None:
        """Hand on."""
        self._reader.leave(span, result)


class TracedCallable(Proxy):
    """The proxy."""

    def __init__(self, wrapped: Any, call: Call, owner: tuple[Any, ...] = ()) -> None:
        super().__init__(wrapped)
        self._self_call = call
        self._self_owner = owner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call what it stands for."""
        return self._self_call(self.__wrapped__, self._self_owner, args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        wrapped = self.__wrapped__
        bind = getattr(type(wrapped), "__get__", None)
        if bind is None:
            return self
        bound = bind(wrapped, instance, owner)
        if bound is wrapped:
            return self
        first = getattr(bound, "__self__", instance)
        return TracedCallable(bound, self._self_call, () if first is None else (first,))
