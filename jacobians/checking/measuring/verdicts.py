"""What can be known of an entry."""

from __future__ import annotations

from enum import IntEnum


class Verdict(IntEnum):
    """What is known of an entry; larger is worse."""

    ROUGH = -3  # right as far as a measurement of less than two digits can tell
    DISPUTED = -2  # large and small steps disagree
    PENDING = -1
    RIGHT = 0
    ZERO = 1
    KINK = 2
    NOISE = 3
    JUMP = 4
    KINK_WRONG = 5
    WRONG = 6
