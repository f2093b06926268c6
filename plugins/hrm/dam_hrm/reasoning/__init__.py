"""The reasoning layer; its operations as methods of `Reasoning`."""

from __future__ import annotations

from dam_hrm.reasoning.layer import Reasoning

__all__ = ["Reasoning"]
