"""
Pickle, but for errors: theirs is the one thing that pickle often gets wrong.

It makes an error again by calling its class with ``args``, which is what the class handed on
to its base and not what it was called with: that fails, or doubles the message. Here the
class's own ``__init__`` is left out, and its attributes are put back as they were.
"""

from __future__ import annotations

import inspect
import io
import pickle
from typing import Any


def dumps(value: object) -> bytes:
    """Pickle a value; errors anywhere in it survive whatever their classes' ``__init__`` takes."""
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def loads(data: bytes) -> Any:
    """Make a value of what `dumps` gave, in a process of ours or of our cluster."""
    return pickle.loads(data)  # noqa: S301 - both ends are ours


def dumps_error(error: BaseException) -> bytes | None:
    """Pickle an error, without those attributes that cannot be; `None`: an error of its class cannot be made of it."""
    data = _dumps_checked(error)
    if data is not None:
        return data
    try:
        bare = _make(type(error), error.args)
    except Exception:  # noqa: BLE001 - others' classes; the caller has another way to tell of it
        return None
    bare.__dict__.update({name: value for name, value in vars(error).items() if _dumps_checked(value) is not None})
    return _dumps_checked(bare)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if not isinstance(value, BaseException) or not inspect.isfunction(kind.__init__):
            return NotImplemented
        if inspect.isfunction(kind.__reduce__) or inspect.isfunction(kind.__reduce_ex__):
            return NotImplemented
        reduced: tuple[Any, ...] = value.__reduce__()  # type: ignore[assignment] # an error's is never a name
        return (_make, (kind, reduced[1]), *reduced[2:])


def _make(kind: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """Make an error without any ``__init__`` that is written in Python."""
    error = kind.__new__(kind, *arguments)
    initialize = next(each.__init__ for each in kind.__mro__ if not inspect.isfunction(each.__init__))  # type: ignore[misc] # of that very class
    initialize(error, *arguments)
    return error


def _dumps_checked(value: object) -> bytes | None:
    """Pickle a value, if one of the same class can be made of that again."""
    try:
        data = dumps(value)
        return data if type(loads(data)) is type(value) else None
    except Exception:  # noqa: BLE001 - pickling calls others' code; the caller has another way
        return None
