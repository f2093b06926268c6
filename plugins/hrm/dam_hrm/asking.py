"""
Ask a hook, wait for what may have to be waited for, and hold the answer to what it should be.

The one place where the runtime calls its plugins. A plugin that fails is named: the manager that
`plugin_manager` makes has each implementation sign what it answers or raises. Being cancelled,
interrupted or told to exit is no failure and goes through as it is; nothing is run in a task of its own.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from dam_hrm.errors import HrmError

Value = TypeVar("Value")

MESSAGE_CHARACTERS: Final = 200
"""Of what a plugin raised; the whole of it is in `__cause__`."""


class HookFailed(HrmError):
    """A hook raised, or answered with something that it should not. `__cause__` is what it raised."""

    def __init__(self, hook: str, why: str, plugin: str | None = None) -> None:
        super().__init__(f"{hook}: {why}")
        self.hook = hook
        self.plugin = plugin
        """The name of the plugin that is to blame; `None` where that is not known, or nobody answered."""


async def ask(hook: Any, kind: type[Value], /, **arguments: Any) -> Value:
    """
    Call a ``firstresult`` hook and give its answer.

    A failure within a failure is told once: if the hook itself asked another one that failed, that one's
    `HookFailed` is raised as it is.

    Raises:
        HookFailed: It raised, nobody answered, or the answer is no `kind`. It names the plugin.
    """
    plugin = None
    try:
        _last.plugin = None
        try:
            answer = hook(**arguments)
        finally:
            plugin = _last.plugin
        if inspect.isawaitable(answer):
            answer = await answer
    except HookFailed:
        raise
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise _raised(hook, plugin, error) from error
    except Exception as error:
        raise _raised(hook, plugin, error) from error
    if not isinstance(answer, kind):
        raise HookFailed(hook.name, _unfit(hook, plugin, answer, kind), plugin)
    return answer


async def tell(hook: Any, /, **arguments: Any) -> list[HookFailed]:
    """
    Call every implementation of a hook, whatever becomes of the others; give what failed.

    Answers are waited for one after the other, and left. pluggy would stop at the first that raises, so each is
    called by itself here.
    """
    failures = []
    for each in reversed(hook.get_hookimpls()):
        try:
            answer = each.function(*[arguments[name] for name in each.argnames])
            if inspect.isawaitable(answer):
                await answer
        except HookFailed as error:
            failures.append(error)
        except Exception as error:  # noqa: BLE001 - the others are to hear of it all the same; given to the caller
            failure = _raised(hook, each.plugin_name, error)
            failure.__cause__ = error
            failures.append(failure)
    return failures


def _is_cancelled() -> bool:
    """Tell a cancelled caller from a plugin that waited for something cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


# -- who answered


class _Last(threading.local):
    """Who answered the last hook call on this thread: nothing else runs between its return and the look at it."""

    plugin: str | None = None


_last = _Last()


def signed(function: Callable[..., Any], plugin: str) -> Callable[..., Any]:
    """Make a function that does the same and leaves the name of its plugin where it answers or raises."""

    def call(*arguments: Any, **named: Any) -> Any:
        answer = None
        failed = True
        try:
            answer = function(*arguments, **named)
            failed = False
        finally:
            if failed or answer is not None:
                _last.plugin = plugin
        return answer

    return call


# -- what is said


def _raised(hook: Any, plugin: str | None, error: BaseException) -> HookFailed:
    said = f"{type(error).__name__}: {_text(error)}".removesuffix(": ")
    return HookFailed(hook.name, f"{_who(hook, plugin)} raised {said}", plugin)


def _unfit(hook: Any, plugin: str | None, answer: object, kind: type) -> str:
    if answer is None and plugin is None:
        return f"nobody answered with a {kind.__name__}"
    return f"{_who(hook, plugin)} answered with {type(answer).__name__} where {kind.__name__} was due"


def _who(hook: Any, plugin: str | None) -> str:
    if plugin is not None:
        return f"plugin {plugin}"
    asked = ", ".join(each.plugin_name for each in reversed(hook.get_hookimpls()))
    return f"one of the plugins {asked}" if asked else "nobody"


def _text(error: BaseException) -> str:
    try:
        return str(error)[:MESSAGE_CHARACTERS]
    except Exception:  # noqa: BLE001 - a plugin's own exception may not even have words
        return ""
