"""The input of a callable as a pydantic model, made from its signature; pydantic does the rest."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, PydanticSchemaGenerationError, TypeAdapter, create_model
from pydantic.errors import PydanticUserError

from dam_entities.errors import BadCallable

_CONFIG: Final = ConfigDict(arbitrary_types_allowed=True, extra="forbid")
_CONFIG_OPEN: Final = ConfigDict(arbitrary_types_allowed=True, extra="allow")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a callable takes and gives."""

    model: type[BaseModel]
    """Its input. A field for each parameter, with the parameter's name as alias; ``*args`` are one that is a list."""
    parameters: tuple[inspect.Parameter, ...]
    returns: TypeAdapter[Any] | None
    """What its return annotation says; `None` if it has none."""

    def arguments(self, data: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """
        Validate input by parameter name, and return it as positional and keyword arguments.

        Raises:
            pydantic.ValidationError: It does not fit.
        """
        valid = self.model.model_validate(dict(data))
        args: list[Any] = []
        named: dict[str, Any] = {}
        for number, parameter in enumerate(self.parameters):
            if parameter.kind is parameter.VAR_KEYWORD:
                named.update(valid.__pydantic_extra__ or {})
                continue
            value = getattr(valid, _field(number))
            if parameter.kind is parameter.VAR_POSITIONAL:
                args.extend(value)
            elif parameter.kind is parameter.KEYWORD_ONLY:
                named[parameter.name] = value
            else:
                args.append(value)
        return args, named

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the input."""
        return self.model.model_json_schema(by_alias=True)


def signature_of(function: Callable[..., Any], name: str) -> Signature:
    """
    Read the signature of `function`.

    Raises:
        BadCallable: A parameter has no annotation, or one that cannot be understood.
    """
    parameters = tuple(inspect.signature(function).parameters.values())
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:
        raise BadCallable(name, f"its annotations cannot be read ({type(error).__name__}: {error})") from error
    bare = [parameter.name for parameter in parameters if parameter.name not in hints]
    if bare:
        raise BadCallable(name, f"{', '.join(bare)} has no annotation: say what type it is")
    fields: dict[str, Any] = {
        _field(number): _as_field(parameter, hints[parameter.name])
        for number, parameter in enumerate(parameters)
        if parameter.kind is not parameter.VAR_KEYWORD
    }
    rest = next((hints[each.name] for each in parameters if each.kind is each.VAR_KEYWORD), None)
    try:
        model = create_model(name, __base__=_open(rest) if rest is not None else _Closed, **fields)
        returns = _returns(function, hints["return"]) if "return" in hints else None
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise BadCallable(name, f"pydantic cannot validate its annotations: {error.message}") from error
    return Signature(model, parameters, returns)


class _Closed(BaseModel):
    model_config = _CONFIG


def _open(rest: Any) -> type[BaseModel]:
    """Return the base of models that take further values, all of one type."""
    return type("Open", (BaseModel,), {
        "__module__": __name__, "model_config": _CONFIG_OPEN,
        "__annotations__": {"__pydantic_extra__": dict[str, rest]}, "__pydantic_extra__": Field(init=False),
    })  # fmt: skip


def _field(number: int) -> str:
    """Name a field so that no parameter's name meets one of pydantic's own."""
    return f"parameter_{number}"


def _as_field(parameter: inspect.Parameter, hint: Any) -> tuple[Any, Any]:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return list[hint], Field(default_factory=list, alias=parameter.name)
    default = ... if parameter.default is parameter.empty else parameter.default
    return hint, Field(default, alias=parameter.name, title=parameter.name)


def _returns(function: Callable[..., Any], hint: Any) -> TypeAdapter[Any]:
    """Return what validates one result: of a generator one item."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    is_generator = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    if is_generator and origin is not None and arguments:
        hint = arguments[0]
    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # a type with a configuration of its own
        return TypeAdapter(hint)
