"""dam-obs: from a running program to the scheduler's knowledge of it."""

__version__ = "0.1.0"
