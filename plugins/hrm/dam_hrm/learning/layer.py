"""The learning layer of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dam_hrm.session import Session


class Learning:
    """A session's learning."""

    def __init__(self, session: Session) -> None:
        self._session = session
