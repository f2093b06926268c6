"""The trace points of dam_hrm are the ones of its design, operation by operation and name by name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from dam_hrm import hookspecs, observability

from dam_obs.points.conventions import reads
from dam_obs.points.load import load_file
from dam_obs.points.model import HookName

OPERATIONS = {
    "altitude.transition": ("from_level", "to_level", "reason"),
    "altitude.evaluate": ("altitude", "verdict", "confidence"),
    "altitude.plan": ("altitude", "intent", "plan_summary"),
    "altitude.execute": ("altitude", "action_type"),
    "focus.stance_change": ("from_stance", "to_stance", "gate"),
    "focus.gate_check": ("gate_type", "decision", "reason"),
    "focus.lane_switch": ("from_lane", "to_lane", "reason"),
    "focus.consent_check": ("operation", "allowed"),
    "focus.route": ("signal_type", "bundle", "agents"),
    "reasoning.classify": ("input_type", "confidence"),
    "reasoning.route": ("strategy", "reason"),
    "reasoning.escalate": ("from_level", "to_level", "trigger"),
    "learning.pattern_match": ("pattern_code", "confidence"),
    "learning.pattern_add": ("pattern_code", "source"),
    "learning.pattern_trim": ("pattern_code", "reason"),
    "learning.generalize": ("from_patterns", "to_pattern"),
    "memory.read": ("namespace", "key", "tier"),
    "memory.write": ("namespace", "key", "tier", "tokens_saved"),
    "memory.promote": ("key", "from_tier", "to_tier"),
    "memory.demote": ("key", "from_tier", "to_tier"),
}
"""The five tables of the design: operation, and its trace data in order."""

LAYERS = ("altitude", "focus", "learning", "memory", "reasoning")
CONVENTIONS = Path(observability.__file__).parent / "conventions.toml"


def points():
    """Return the points of dam_hrm itself, by name."""
    files = [load_file(path) for path in observability.dam_obs_trace_points()]
    return {point.name: point for file in files if file.host == "dam_hrm" for point in file.points}


def test_every_operation_has_a_point_with_exactly_its_data():
    """Nothing missing, nothing more; besides them there is the turn around them all."""
    declared = {name: tuple(field.name for field in point.data) for name, point in points().items()}

    assert declared == {**OPERATIONS, "system.turn": ("session",)}


@pytest.mark.parametrize("layer", LAYERS)
def test_each_layer_has_a_file_of_its_own(layer):
    """Which holds its operations and no other's."""
    file = load_file(observability.TRACE_POINTS / f"{layer}.toml")

    assert {point.layer.name for point in file.points} == {layer}
    assert {point.name for point in file.points} == {name for name in OPERATIONS if name.startswith(f"{layer}.")}


def test_only_what_is_named_is_a_span():
    """The gates' and agents' own hooks are seen by what they decide, not as spans beside it."""
    files = [load_file(path) for path in observability.dam_obs_trace_points()]

    assert {file.only_named for file in files if file.host == "dam_hrm"} == {True}


@pytest.mark.parametrize("name", [*OPERATIONS, "system.turn"])
def test_each_point_is_on_the_hook_of_its_operation(name):
    """Which exists, with every argument that the point reads."""
    (target,) = points()[name].targets
    layer, _, operation = name.partition(".")
    hook = f"dam_hrm_{operation}" if layer == "system" else f"dam_hrm_{layer}_{operation}"
    paths = [*target.data.values(), *(each.path for each in reads(target.attributes).values())]
    paths += [path for path in (target.reads.input, target.reads.system) if path is not None]
    arguments = {path.steps[0] for path in paths if path.root == "args"}
    function = getattr(hookspecs, hook)

    assert target.place == HookName(hook, "dam_hrm")
    assert arguments <= set(function.__code__.co_varnames[: function.__code__.co_argcount])


def test_the_turn_is_a_step_and_operations_are_spans():
    """A report counts operations as systems, not the turn around them."""
    kinds = {name: point.kind for name, point in points().items()}

    assert kinds == {**dict.fromkeys(OPERATIONS, "span"), "system.turn": "step"}


def test_what_can_be_refused_is_blocked_by_its_result():
    """The operations that somebody may say no to, and nothing else."""
    refusable = {name for name, point in points().items() if point.targets[0].reads.blocked is not None}

    assert refusable == {
        "system.turn",
        "altitude.transition",
        "altitude.evaluate",
        "altitude.execute",
        "focus.stance_change",
        "focus.gate_check",
        "focus.lane_switch",
        "focus.consent_check",
        "focus.route",
        "reasoning.escalate",
        "learning.pattern_trim",
        "memory.write",
        "memory.promote",
        "memory.demote",
    }


def test_points_say_what_the_registry_of_conventions_promises():
    """Attribute by attribute: constants with their value, what is read with its type."""
    registry = tomllib.loads(CONVENTIONS.read_text(encoding="utf-8"))["spans"]
    promised = {
        span["operation"]: {
            name: attribute.get("is", attribute["type"]) for name, attribute in span["attributes"].items()
        }
        for span in registry
    }
    kept = {
        name: {key: getattr(value, "type", value) for key, value in point.attributes.items()}
        for name, point in points().items()
        if point.attributes
    }

    assert kept == promised
