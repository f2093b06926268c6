"""Fixtures for all tests: dam-obs is tested with what it gives to others."""

pytest_plugins = ["dam_obs.testing.fixtures"]
