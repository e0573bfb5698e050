"""What can be known of an entry."""

from __future__ import annotations

from enum import IntEnum


class Verdict(IntEnum):
    """What is known of an entry; larger is worse."""

    PENDING = -1
    RIGHT = 0
    ZERO = 1
    KINK = 2
    NOISE = 3
    JUMP = 4
    KINK_WRONG = 5
    WRONG = 6
