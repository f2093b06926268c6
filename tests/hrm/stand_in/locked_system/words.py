"""Words that the stand-in's parts share."""

from enum import Enum


class Stance(Enum):
    SENSEMAKING = "sensemaking"
    EXECUTION = "execution"


class Gate(Enum):
    FRAMING = "framing"
    COMMITMENT = "commitment"


class Depth(Enum):
    SHORT = "L2"


class Reducer(Enum):
    MERGE = "merge"
