"""The learning layer; its operations as methods of `Learning`."""

from __future__ import annotations

from dam_hrm.learning.layer import Learning

__all__ = ["Learning"]
