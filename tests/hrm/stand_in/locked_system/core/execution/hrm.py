"""How deep an answer goes."""

from dataclasses import dataclass

from locked_system.words import Depth


@dataclass
class Assessment:
    recommended_altitude: Depth
    rationale: str


class HRM:
    def assess(self, user_input, perception=None, progress=None):
        return Assessment(Depth.SHORT, f"{len(user_input)} characters")
