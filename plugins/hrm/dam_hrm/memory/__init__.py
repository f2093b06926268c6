"""The memory layer; its operations as methods of `Memory`."""

from __future__ import annotations

from dam_hrm.memory.layer import Memory
from dam_hrm.memory.limits import Limits

__all__ = ["Limits", "Memory"]
