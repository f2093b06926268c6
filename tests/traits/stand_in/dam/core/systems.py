"""Systems are functions, known by their identity: the decorator leaves them as they are and notes what they are for."""

import asyncio
import inspect

from dam.core.executor import Answer, SystemExecutor

METADATA = {}


def system(*, on_command=None, on_event=None, on_stage=None):
    """Note what a function is for."""

    def note(function):
        METADATA[function] = (on_command or on_event or on_stage, inspect.iscoroutinefunction(function))
        return function

    return note


class WorldScheduler:
    """Finds systems in its registry and calls them."""

    def __init__(self, world):
        self.world = world
        self._registry = {}

    def register_system_for_world(self, system_func):
        if system_func in METADATA:
            self._registry.setdefault(METADATA[system_func][0], []).append(system_func)

    def dispatch_command(self, command, parallel):
        handlers = self._registry.get(type(command), [])
        return SystemExecutor([self._execute_system_func(each, command_object=command) for each in handlers], parallel)

    async def dispatch_event(self, event):
        handlers = self._registry.get(type(event), [])
        async for _ in SystemExecutor(
            [self._execute_system_func(each, event_object=event) for each in handlers], False
        ):
            pass

    async def execute_stage(self, stage):
        handlers = self._registry.get(stage, [])
        async for _ in SystemExecutor([self._execute_system_func(each) for each in handlers], False):
            pass

    async def _execute_system_func(self, system_func, event_object=None, command_object=None, **more):
        is_async = METADATA[system_func][1]
        given = [each for each in (command_object, event_object) if each is not None]
        arguments = [*given, self.world][: len(inspect.signature(system_func).parameters)]
        if is_async:
            result = await system_func(*arguments)
        else:
            # Also an async generator function: it is no coroutine function.
            result = await asyncio.get_running_loop().run_in_executor(None, lambda: system_func(*arguments))
        if inspect.isasyncgen(result):
            async for item in result:
                yield item
        else:
            yield Answer(result)
