"""
Ask a language model through the package llm, which is imported for that alone.

A model is a plugin that anybody may have written, and it talks to a network: it runs on a thread of
its own, for so long and for so many characters, once. Whatever it raises is one line.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Final

from dam_obs.draft.assist.answer import MOST_ANSWER
from dam_obs.draft.assist.errors import ModelFailed, NoKey, NoModelLibrary, UnknownModel
from dam_obs.trace.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import llm

TIMEOUT_SECONDS: Final = 120.0
TICK_SECONDS: Final = 0.2
"""How often the main thread looks up, for an interrupt to be seen on every platform."""

LONGEST_REASON: Final = 300

_Event = str | BaseException | None
"""A piece of the answer, what was raised, or its end."""


def ask(name: str, text: str, *, seconds: float = TIMEOUT_SECONDS) -> tuple[str, str]:
    """
    Ask a model once.

    Args:
        name: Its name or an alias of it, as llm knows it.
        text: What to ask.
        seconds: For the whole answer.

    Returns:
        The model's full name, and its answer: a character more than `answer.MOST_ANSWER` at most.

    Raises:
        NoModelLibrary, UnknownModel, NoKey: It cannot be asked.
        ModelFailed: It did not answer.
    """
    model = find(name)
    events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
    stop = threading.Event()
    # A daemon: it may hang in the network for ever, and nobody waits for it then.
    threading.Thread(target=_answer, args=(model, text, events, stop), name="dam-obs-llm", daemon=True).start()
    try:
        return model.model_id, _read(model.model_id, events, time.monotonic() + seconds, seconds)
    finally:
        stop.set()


def find(name: str) -> llm.Model:
    """
    Return a model by its name or alias.

    Raises:
        NoModelLibrary: llm is not installed.
        UnknownModel: It does not know the model.
        NoKey: The model needs a key that is not there.
        ModelFailed: A plugin of llm is broken.
    """
    try:
        import llm
    except ImportError as error:
        raise NoModelLibrary from error
    try:
        known = llm.get_model_aliases()
    except Exception as error:  # plugins of others, and their files
        raise ModelFailed(name, f"llm cannot load its plugins: {_told(error)}") from error
    model = known.get(name)
    if model is None:
        raise UnknownModel(name, known)
    if model.needs_key is not None and not _has_key(model):
        raise NoKey(name, model.needs_key)
    return model


def _has_key(model: llm.Model) -> bool:
    import llm

    try:
        return bool(model.get_key())
    except llm.NeedsKeyException:
        return False


def _answer(model: llm.Model, text: str, events: queue.SimpleQueue[_Event], stop: threading.Event) -> None:
    """Put the answer into `events`, piece by piece, to its end or until nobody wants more."""
    try:
        for piece in _pieces(model.prompt(text, stream=model.can_stream)):
            events.put(piece)
            if stop.is_set():
                return
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is told by the thread that waits
        events.put(error)
    else:
        events.put(None)


def _pieces(response: Iterable[str]) -> Iterator[str]:
    """Yield an answer in pieces, and no more of it than is read."""
    length = 0
    for piece in response:
        if not isinstance(piece, str):
            raise TypeError(f"the answer holds {type(piece).__name__}, not text")
        yield piece[: MOST_ANSWER + 1 - length]
        length += len(piece)
        if length > MOST_ANSWER:
            return


def _read(name: str, events: queue.SimpleQueue[_Event], end: float, seconds: float) -> str:
    pieces: list[str] = []
    while True:
        try:
            event = events.get(timeout=max(0.0, min(TICK_SECONDS, end - time.monotonic())))
        except queue.Empty:
            if time.monotonic() >= end:
                raise ModelFailed(name, f"it took longer than {seconds:g} s, see --llm-timeout") from None
            continue
        if event is None:
            return "".join(pieces)
        if isinstance(event, BaseException):
            raise ModelFailed(name, _told(event)) from event
        pieces.append(event)


def _told(error: BaseException) -> str:
    """Say what a plugin raised, without secrets: messages of clients quote the key that was refused."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - its text is the plugin's code, too
        text = ""
    return Redactor().text("error", f"{type(error).__name__}: {text}".rstrip(": "), LONGEST_REASON)
