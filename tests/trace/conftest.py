"""Fixtures of the recording tests."""

pytest_plugins = ["dam_obs.testing.fixtures"]
