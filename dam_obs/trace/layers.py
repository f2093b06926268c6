"""
Layers: the part of a system an operation belongs to, with its three-letter code.

Six are built in. A plugin adds its own with `register`.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from dam_obs.errors import DamObsError


class Layer(msgspec.Struct, frozen=True):
    """One layer: `altitude` with code `alt`."""

    name: str
    """Full name, as in `TraceEvent.hrm_layer`: lower case letters, digits and ``_``."""

    code: str
    """Three lower case letters, as in a handle."""


class UnknownLayer(DamObsError):
    """A layer was named that nobody has registered."""

    def __init__(self, name: str) -> None:
        known = ", ".join(f"{layer.name} ({layer.code})" for layer in layers())
        super().__init__(f"unknown layer {name!r}: known are {known}; a plugin adds one with dam_obs.register_layer")
        self.name = name


class LayerClash(DamObsError):
    """A layer's name or code already stands for another layer."""

    def __init__(self, wanted: Layer, holder: Layer) -> None:
        super().__init__(
            f"layer {wanted.name!r} ({wanted.code}) clashes with {holder.name!r} ({holder.code}): choose another"
        )
        self.wanted = wanted
        self.holder = holder


BUILT_IN: Final = (
    Layer("altitude", "alt"),
    Layer("focus", "foc"),
    Layer("reasoning", "rsn"),
    Layer("learning", "lrn"),
    Layer("memory", "mem"),
    Layer("system", "sys"),
)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CODE = re.compile(r"[a-z]{3}")
_by_word: dict[str, Layer] = {word: layer for layer in BUILT_IN for word in (layer.name, layer.code)}


def layers() -> tuple[Layer, ...]:
    """Return all layers, the built-in ones first."""
    return tuple(dict.fromkeys(_by_word.values()))


def layer(word: str) -> Layer:
    """
    Return the layer with this name or code.

    Raises:
        UnknownLayer: `word` is neither.
    """
    try:
        return _by_word[word]
    except (KeyError, TypeError):
        raise UnknownLayer(word) from None


def register(name: str, code: str) -> Layer:
    """
    Add a layer; adding the same one twice is no error.

    Raises:
        LayerClash: the name or the code stands for another layer.
        ValueError: the name or the code is not of the right form.
    """
    if not _NAME.fullmatch(name) or not _CODE.fullmatch(code):
        raise ValueError(
            f"layer {name!r} ({code!r}): a name is lower case letters, digits and '_', a code three lower case letters"
        )
    wanted = Layer(name, code)
    for word in (name, code):
        holder = _by_word.get(word, wanted)
        if holder != wanted:
            raise LayerClash(wanted, holder)
    _by_word[name] = _by_word[code] = wanted
    return wanted
