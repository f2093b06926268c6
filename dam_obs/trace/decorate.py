"""`@traced`: a span around each run of a function, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dam_obs.trace.layers import UnknownLayer, layer
from dam_obs.trace.site import code_of, site
from dam_obs.trace.span import Span
from dam_obs.trace.wrap import wrap

Function = TypeVar("Function", bound=Callable[..., Any])


class _Fixed:
    """Gives each span the input and data named at decoration, and shows the result as output."""

    def __init__(self, input_data: object, metadata: dict[str, Any], *, output: bool) -> None:
        self._input = input_data
        self._metadata = metadata
        self._output = output

    def enter(self, span: Span, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Give what was named."""
        if self._input != "":
            span.set_input(self._input)
        if self._metadata:
            span.add_data(dict(self._metadata))

    def leave(self, span: Span, result: Any) -> None:
        """Show the result."""
        if self._output:
            span.set_output(result)


def traced(
    operation: str,
    *,
    component: str | None = None,
    input_data: object = "",
    output: bool = False,
    level: str = "info",
    **metadata: Any,
) -> Callable[[Function], Function]:
    """
    Make each run of a function a span.

        @traced("focus.gate_check")
        async def check(gate): ...

    Functions, coroutine functions, generator functions and async generator functions stay
    what they are. A generator's span ends when it is exhausted or closed.

    Args:
        operation: Layer and operation, ``focus.gate_check``.
        component: What does it; default: the function's ``module:qualname``.
        input_data: The same input summary for each run.
        output: Take what the function returns as output summary.
        level: ``debug`` for a span that is only recorded at that level.
        **metadata: The same data for each run.

    Raises:
        UnknownLayer: what stands before the first dot names no layer.
    """
    word, dot, rest = operation.partition(".")
    if not dot:
        raise UnknownLayer(operation)
    place = layer(word)
    reader = _Fixed(input_data, metadata, output=output) if input_data != "" or metadata or output else None

    def decorate(function: Function) -> Function:
        code = code_of(function)
        where = site(place.code, rest, component or str(code["function"]), level=level, code=code)
        return wrap(function, where, reader)

    return decorate
