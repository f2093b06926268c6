"""
Span and trace ids, and the clocks: the things of a span that a test wants in its hand.

Ids come from a generator of our own: a program that seeds `random` would repeat ours
otherwise, and ours would change what it draws. It is seeded anew in a forked child.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

_random = random.Random()  # noqa: S311 - ids need to be different, not secret

new_id: Callable[[int], int] = _random.getrandbits
"""``new_id(64)`` for a span, ``new_id(128)`` for a trace."""

wall_ns: Callable[[], int] = time.time_ns
monotonic_ns: Callable[[], int] = time.monotonic_ns

_local = threading.local()


def reseed() -> None:
    """Draw from a new seed, in a forked child: it would give its parent's ids again."""
    _random.seed()
    _local.__dict__.clear()


def thread_id() -> int:
    """Return the native id of this thread; asking the kernel each time would cost a tenth of a span."""
    try:
        return _local.native_id  # type: ignore[no-any-return]
    except AttributeError:
        _local.native_id = threading.get_native_id()
        return _local.native_id  # type: ignore[no-any-return]
