"""
Let Ctrl-C end a query.

A signal is handled by Python between two of its instructions, and a query is one of them, however
long it takes. So a thread waits for the signal to arrive and ends the query; then Python does with it
what it always does.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_MET_BY_DUCKDB: Final = "Query interrupted"
"""What DuckDB says by a `RuntimeError` that stands for the `KeyboardInterrupt` which it met itself."""

_PATIENCE_S: Final = 1.0
"""For the thread to end. It never does while the interpreter is ending, and an interrupt may bring us here then."""


@contextmanager
def interrupting(interrupt: Callable[[], None]) -> Iterator[None]:
    """
    Call `interrupt`, on another thread, when Ctrl-C is pressed.

    Only on the main thread, which alone gets signals, and not where someone else waits for them, as an event loop does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(reader, True)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
    watch = threading.Thread(target=_watch, args=(reader, interrupt), name="dam-obs-interrupts", daemon=True)
    watch.start()
    try:
        yield
    except RuntimeError as error:
        if str(error) == _MET_BY_DUCKDB:
            raise KeyboardInterrupt from error
        raise
    finally:
        if before == -1 and threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(-1)
        os.close(writer)
        watch.join(_PATIENCE_S)
        os.close(reader)


def _watch(reader: int, interrupt: Callable[[], None]) -> None:
    while arrived := os.read(reader, 64):
        if signal.SIGINT in arrived:
            interrupt()
