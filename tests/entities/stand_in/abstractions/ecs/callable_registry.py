"""Functions by name."""

import asyncio

from abstractions.ecs.entity import EntityRegistry


class CallableRegistry:
    functions = {}

    @classmethod
    def execute(cls, func_name, **kwargs):
        return asyncio.run(cls.aexecute(func_name, **kwargs))

    @classmethod
    async def aexecute(cls, func_name, **kwargs):
        return await cls._execute_async(func_name, **kwargs)

    @classmethod
    async def _execute_async(cls, func_name, **kwargs):
        result = cls.functions[func_name](**kwargs)
        for entity in kwargs.values():
            EntityRegistry.version_entity(entity)
        return result
