"""Imported by the fork server before its first child: looks for plugins once, instead of in every child."""

from dam_entities import runtimes

runtimes.current()
