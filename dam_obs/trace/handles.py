"""
Handles: the readable ids of spans, ``{layer code}_{unix seconds}_{rand}``.

`rand` is the shortest prefix of the span's own OpenTelemetry span id, four hex digits or
more, that this process has not issued for that layer and second. So a handle is unique
in its process by construction, leads back to its span by prefix, and costs no random
number of its own. Handles are made only when somebody reads one.

Memory is bounded: the oldest handles are forgotten, and a span of a forgotten second
that is asked for its handle late gets its whole span id, which clashes with none.
"""

from __future__ import annotations

import re
import threading
from itertools import islice
from typing import Final

import msgspec

from dam_obs.errors import DamObsError
from dam_obs.trace.layers import Layer, layer

SHORTEST: Final = 4
"""Hex digits of the shortest `rand`."""

REMEMBERED: Final = 20_000
"""Handles that are kept before the older half is forgotten: some 5 MB."""

_FORM = re.compile(r"([a-z]{3})_(\d{1,12})_([0-9A-Za-z]+)")
_CODE = re.compile(r"([a-z]{3})_")


class NotAHandle(DamObsError):
    """A text was taken for a handle and is not of its form."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no handle: one looks like alt_1705180800_a3f2")
        self.text = text


class Handle(msgspec.Struct, frozen=True):
    """A handle in its parts."""

    layer: Layer
    seconds: int
    """Unix time at which the span started."""
    rand: str
    """Ours are hex digits; a reader accepts any letters and digits."""

    def __str__(self) -> str:
        return f"{self.layer.code}_{self.seconds}_{self.rand}"


def parse(text: str) -> Handle:
    """
    Take a handle apart.

    Raises:
        NotAHandle: `text` is not of the form.
        UnknownLayer: its code stands for no layer.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise NotAHandle(text)
    code, seconds, rand = match.groups()
    return Handle(layer(code), int(seconds), rand)


def code_of(text: str) -> str | None:
    """Return the layer's code that a handle begins with, whether or not the layer is known here; `None` for no code."""
    match = _CODE.match(text)
    return match[1] if match else None


class HandleBook:
    """The handles that a process has issued."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._issued: dict[str, tuple[int, int]] = {}
        self._horizon = -1
        self._trimming = threading.Lock()

    def issue(self, code: str, seconds: int, span_id: int) -> str:
        """
        Return the handle of a span; the same for the same span each time.

        Args:
            code: The layer's code.
            seconds: Unix time at which the span started, in whole seconds.
            span_id: The OpenTelemetry span id.
        """
        digits = f"{span_id:016x}"
        stem = f"{code}_{seconds}_"
        if seconds > self._horizon:
            mine = (seconds, span_id)
            for width in range(SHORTEST, 16):
                handle = stem + digits[:width]
                # `setdefault` is one step under the interpreter's lock: two threads never share a handle.
                if self._issued.setdefault(handle, mine)[1] == span_id:
                    if len(self._issued) > self._remembered:
                        self._forget_older_half()
                    return handle
        return stem + digits

    def start_afresh(self) -> None:
        """In a forked child: a thread that is not there may have been trimming."""
        self._trimming = threading.Lock()

    def _forget_older_half(self) -> None:
        if not self._trimming.acquire(blocking=False):
            return
        try:
            # Of the keys alone, a list is made in one step under the interpreter's lock, while others go on issuing.
            old = list(islice(self._issued, len(self._issued) // 2))
            self._horizon = max(self._horizon, max(self._issued[handle][0] for handle in old))
            for handle in old:
                del self._issued[handle]
        finally:
            self._trimming.release()
