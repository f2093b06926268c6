"""Runs handlers while somebody iterates, one after the other or all at once."""

import asyncio


class SystemExecutor:
    """Lazy: nothing runs before the first event is asked for."""

    def __init__(self, generators, parallel):
        self._generators = generators
        self._parallel = parallel

    def __aiter__(self):
        return self._run_parallel() if self._parallel else self._run_serial()

    async def _run_serial(self):
        for generator in self._generators:
            async for event in generator:
                yield event

    async def _run_parallel(self):
        """Stop when all drains are done, whatever is still in the queue: when they end is what they mean."""
        events = asyncio.Queue()

        async def drain(generator):
            async for event in generator:
                await events.put(event)

        drains = [asyncio.create_task(drain(generator)) for generator in self._generators]
        finished = 0
        while finished < len(drains):
            yield await events.get()
            finished = sum(task.done() for task in drains)
        await asyncio.gather(*drains)

    async def results(self):
        """Return what the handlers answered."""
        return [event.result async for event in self if isinstance(event, Answer)]


class Answer:
    """What a handler returned."""

    def __init__(self, result):
        self.result = result
