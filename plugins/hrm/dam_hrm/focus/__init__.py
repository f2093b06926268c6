"""The focus layer; its operations as methods of `Focus`."""

from __future__ import annotations

from dam_hrm.focus.layer import Focus

__all__ = ["Focus"]
