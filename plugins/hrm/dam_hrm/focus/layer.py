"""The focus layer of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dam_hrm.session import Session


class Focus:
    """A session's focus."""

    def __init__(self, session: Session) -> None:
        self._session = session
