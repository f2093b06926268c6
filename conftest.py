"""Fixtures for all tests: dam-obs is tested with what it gives to others."""

import signal

pytest_plugins = ["dam_obs.testing.fixtures"]

# A shell ignores Ctrl-C for what it runs in the background, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
