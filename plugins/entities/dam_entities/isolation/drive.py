"""Wait for children: in a thread, or in an event loop."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from dam_entities.isolation.watch import Watch


def drive(watches: Iterable[Watch]) -> None:
    """Wait until one of `watches` is over at least; whatever interrupts leaves them as they are."""
    watches = list(watches)
    for watch in watches:
        watch.look()
    with selectors.DefaultSelector() as selector:
        while not any(watch.is_over for watch in watches):
            _match(selector, watches)
            selector.select(min(watch.seconds_left for watch in watches))
            for watch in watches:
                watch.look()


def _match(selector: selectors.BaseSelector, watches: Iterable[Watch]) -> None:
    """Have the selector wait for the descriptors that are worth it now."""
    wanted = {descriptor for watch in watches for descriptor in watch.descriptors}
    known = set(selector.get_map())
    for descriptor in known - wanted:
        selector.unregister(descriptor)
    for descriptor in wanted - known:
        selector.register(descriptor, selectors.EVENT_READ)


async def adrive(watch: Watch) -> None:
    """Wait until `watch` is over; one that is cancelled is killed first."""
    try:
        await _over(watch)
    except asyncio.CancelledError:
        watch.cancel()
        await asyncio.shield(_over(watch))
        raise


async def _over(watch: Watch) -> None:
    watch.look()
    while not watch.is_over:
        # When time is over it has to look all the same.
        with _told(watch) as changed, suppress(TimeoutError):
            async with asyncio.timeout(watch.seconds_left):
                await changed.wait()
        watch.look()


@contextmanager
def _told(watch: Watch) -> Iterator[asyncio.Event]:
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    descriptors = watch.descriptors
    for descriptor in descriptors:
        loop.add_reader(descriptor, changed.set)
    try:
        yield changed
    finally:
        for descriptor in descriptors:
            loop.remove_reader(descriptor)
