"""
Ask a hook, wait for what may have to be waited for, and hold the answer to what it should be.

The one place where the runtime calls its plugins.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, TypeVar

from dam_hrm.blame import who_answered, who_raised
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
        HookFailed: It raised, nobody answered, or the answer is no `kind`. It names the plugin.
    """
    given: Any = None
    try:
        given = hook(**arguments)
        answer = await given if inspect.isawaitable(given) else given
    except HookFailed:
        raise
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise HookFailed(hook.name, _raised(hook, error)) from error
    except Exception as error:
        raise HookFailed(hook.name, _raised(hook, error)) from error
    if not isinstance(answer, kind):
        raise HookFailed(hook.name, _answered(hook, kind, given, answer))
    return answer


def _is_cancelled() -> bool:
    """Tell a cancelled caller from a plugin that waited for something cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _raised(hook: Any, error: BaseException) -> str:
    return f"{who_raised(hook, error)} raised {type(error).__name__}: {str(error)[:200]}"


def _answered(hook: Any, kind: type, given: object, answer: object) -> str:
    if given is None:
        return f"nobody answered with a {kind.__name__}"
    return f"{who_answered(hook, given)} answered with {type(answer).__name__} where {kind.__name__} was due"
