"""Tell executions apart by the size of their command: one class for each doubling."""

from __future__ import annotations

import math

SIZE_CLASSES = 64
"""Class ``n`` is of sizes from ``2**n`` up to below ``2**(n+1)``; the first and the last take what lies beyond."""


def size_class(size: float | None) -> int | None:
    """Find the class of a size, the whole part of its binary logarithm; `None` for what is no finite size."""
    if size is None or not 0 <= size < math.inf:
        return None
    return min(max(math.frexp(size)[1] - 1, 0), SIZE_CLASSES - 1)
