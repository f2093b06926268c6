"""A world whose steps are recorded into memory."""

import importlib
import sys
from pathlib import Path

import pytest
from dam_traits import World, observability

from dam_obs.config import Settings
from dam_obs.points.attach import attached
from dam_obs.points.hosts import observe
from dam_obs.points.load import load_file
from dam_obs.testing import recording

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)  # for observed_systems, which child processes import by that name


@pytest.fixture
def systems():
    """Give the module of the systems."""
    return importlib.import_module("observed_systems")


@pytest.fixture
def points():
    """Give the trace points of dam_traits itself."""
    return [load_file(path) for path in observability.dam_obs_trace_points() if path.stem == "dam_traits"]


@pytest.fixture
def observed(points):
    """Make observed worlds, with these systems."""
    observations = []

    def make(*targets, **options):
        world = World("observed", **options)
        observations.append(observe(world.plugin_manager, points))
        for target in targets:
            world.register_system(target)
        return world

    with attached(points):
        yield make
    for each in observations:
        each.stop()


@pytest.fixture
def record():
    """Record everything, at every level."""
    with recording(settings=Settings(level="debug")) as made:
        yield made
