"""The altitude layer; its operations as methods of `Altitude`."""

from __future__ import annotations

from dam_hrm.altitude.layer import Altitude

__all__ = ["Altitude"]
