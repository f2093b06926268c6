"""
Which pool a touched resource belongs to: plugins first, then what the kernel's names say.

A pool is a path that schedulers share out: ``disk/read/nvme0n1``, ``net/db.internal:5432``,
``process/ffmpeg``, ``cpu``.
"""

from __future__ import annotations

from typing import Final

import pluggy

from dam_obs.hookspecs import Resource
from dam_obs.plugins import call_first

CPU_POOL: Final = "cpu"
"""The pool of an execution that computes."""

MEMORY_FILESYSTEMS: Final = frozenset(
    {"cgroup", "cgroup2", "debugfs", "devpts", "devtmpfs", "mqueue", "proc", "ramfs", "securityfs", "sysfs", "tmpfs"}
)
"""File systems that live in memory: using them takes no disk."""


def built_in_pool(resource: Resource) -> str:
    """Name the pool of `resource` by its kind and the kernel's name for where it is."""
    match resource.kind:
        case "file":
            return f"disk/{resource.direction}/{resource.device or 'unknown'}"
        case "peer":
            return f"net/{resource.name}"
        case "process":
            return f"process/{resource.name}"


class Pools:
    """Asks the hooks which pool a resource belongs to, once for each resource."""

    def __init__(self, rules: pluggy.PluginManager) -> None:
        self._rules = rules
        self._known: dict[Resource, str] = {}
        self.at_once: dict[str, int] = {}
        """By pool: executions that used it at once, at most; see `capacity`."""

    def of(self, resource: Resource) -> str:
        """Return the pool of `resource`."""
        if resource not in self._known:
            answer = call_first(self._rules, "dam_obs_pool_for", resource=resource)
            self._known[resource] = answer if isinstance(answer, str) and answer else built_in_pool(resource)
        return self._known[resource]
