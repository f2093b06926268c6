"""
Ask a hook, wait for what may have to be waited for, and hold the answer to what it should be.

The one place where the runtime calls its plugins.
"""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from dam_hrm.errors import HrmError

Value = TypeVar("Value")


class HookFailed(HrmError):
    """A hook raised, or answered with something that it should not. `__cause__` is what it raised."""

    def __init__(self, hook: str, why: str) -> None:
        super().__init__(f"{hook}: {why}")
        self.hook = hook


async def ask(hook: Any, kind: type[Value], /, **arguments: Any) -> Value:
    """
    Call a ``firstresult`` hook and give its answer.

    Raises:
        HookFailed: It raised, nobody answered, or the answer is no `kind`.
    """
    try:
        answer = hook(**arguments)
        if inspect.isawaitable(answer):
            answer = await answer
    except HookFailed:
        raise
    except Exception as error:
        raise HookFailed(hook.name, f"{type(error).__name__}: {str(error)[:200]}") from error
    if not isinstance(answer, kind):
        asked = ", ".join(implementation.plugin_name for implementation in hook.get_hookimpls()) or "nobody"
        raise HookFailed(
            hook.name, f"answered with {type(answer).__name__} where {kind.__name__} was due (asked: {asked})"
        )
    return answer
