"""The memory layer of a session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dam_hrm.session import Session


class Memory:
    """A session's memory."""

    def __init__(self, session: Session, folder: Path | None) -> None:
        self._session = session
