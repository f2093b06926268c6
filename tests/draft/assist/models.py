"""Models as plugins of llm bring them; each does one thing, well or badly, and none talks to a network."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Iterator
from typing import Any

import llm

Says = Callable[[str], Iterator[Any]]


class Scripted(llm.Model):
    """A model that answers by a function, and remembers what it was asked."""

    can_stream = True

    def __init__(self, name: str, says: Says) -> None:
        self.model_id = name
        self.says = says
        self.asked: list[str] = []

    def execute(self, prompt, stream, response, conversation):
        self.asked.append(prompt.prompt)
        yield from self.says(prompt.prompt)


def scripted(says: Says, name: str = "shop-model-1") -> Scripted:
    """Make a model that is not known under another name."""
    return Scripted(name, says)


class Locked(llm.KeyModel):
    """A model of a provider that wants a key."""

    model_id = "locked-1"
    needs_key = "acme"
    key_env_var = "ACME_KEY"
    can_stream = False

    def execute(self, prompt, stream, response, conversation, key):
        yield f"the key is {key}"


class Plugin:
    """What an installed plugin is to llm."""

    def __init__(self, *models: llm.Model) -> None:
        self.models = models

    @llm.hookimpl
    def register_models(self, register):
        for model in self.models:
            register(model, aliases=(f"{model.model_id}-alias",))


class Broken:
    """A plugin that fails when llm asks for its models."""

    @llm.hookimpl
    def register_models(self, register):
        raise RuntimeError("cannot find libcuda.so")


def saying(text: str, piece: int = 50) -> Says:
    """Answer with this, in pieces."""
    return lambda _: (text[start : start + piece] for start in range(0, len(text), piece))


def raising(error: Exception, after: str = "") -> Says:
    """Answer with a piece, and fail."""

    def says(_: str) -> Iterator[str]:
        if after:
            yield after
        raise error

    return says


def hanging(until: threading.Event) -> Says:
    """Begin to answer, and wait."""

    def says(_: str) -> Iterator[str]:
        yield "Well,"
        until.wait()

    return says


def interrupting(until: threading.Event) -> Says:
    """Have the user press Ctrl-C while it waits for the network."""

    def says(_: str) -> Iterator[str]:
        _thread.interrupt_main()
        until.wait()
        yield "too late"

    return says
