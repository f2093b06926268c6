"""What learning raises."""

from __future__ import annotations

from dam_hrm.errors import HrmError


class BadPattern(HrmError, ValueError):
    """A pattern, or a situation, has something that it cannot have."""
