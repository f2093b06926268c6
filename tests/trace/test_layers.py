"""Layers: six built in, open for more."""

import pytest

from dam_obs.trace import layers


def test_the_seeds_layers_are_there():
    """Names and codes are the seed's."""
    assert {layer.name: layer.code for layer in layers.BUILT_IN} == {
        "altitude": "alt", "focus": "foc", "reasoning": "rsn", "learning": "lrn", "memory": "mem", "system": "sys",
    }  # fmt: skip


def test_a_plugin_adds_a_layer(monkeypatch):
    """A new layer is known by name and code; adding it again changes nothing."""
    monkeypatch.setattr(layers, "_by_word", dict(layers._by_word))

    added = layers.register("perception", "per")
    assert layers.register("perception", "per") == added
    assert layers.layer("per") == layers.layer("perception") == added
    assert layers.layers()[-1] == added


@pytest.mark.parametrize(("name", "code"), [("altitude", "alx"), ("height", "alt")])
def test_a_clash_names_both(monkeypatch, name, code):
    """A name or code that stands for another layer is refused, and both are named."""
    monkeypatch.setattr(layers, "_by_word", dict(layers._by_word))

    with pytest.raises(layers.LayerClash, match=f"layer '{name}' .* clashes with 'altitude'"):
        layers.register(name, code)


@pytest.mark.parametrize(
    ("name", "code"), [("Alt", "abc"), ("x y", "abc"), ("fine", "ab"), ("fine", "ABC"), ("", "abc")]
)
def test_a_malformed_layer_is_refused(name, code):
    """Names are lower case words, codes three lower case letters."""
    with pytest.raises(ValueError, match="three lower case letters"):
        layers.register(name, code)
