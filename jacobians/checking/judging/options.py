"""How a claim is to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Strategy = Literal["auto", "columns", "projections"]
COLUMNS: Final = "columns"
PROJECTIONS: Final = "projections"
RTOL = 1e-6  # what rounding may do to a claimed derivative


@dataclass(frozen=True)
class Options:
    """How a claim is to be judged; `jacobians.check_jacobian` says what each of these is."""

    rtol: float = RTOL
    atol: float = 0.0
    strategy: Strategy = "auto"
    directions: int | None = None
    seed: int = 0
    progress: bool | None = None

    def __post_init__(self) -> None:
        if self.strategy not in ("auto", COLUMNS, PROJECTIONS):
            raise ValueError(f"strategy is {self.strategy!r}; it is one of 'auto', 'columns', 'projections'")
        if not 0 <= self.rtol < 1 or not self.atol >= 0:
            raise ValueError(f"rtol must be in [0, 1) and atol not negative; they are {self.rtol} and {self.atol}")
        if self.directions is not None and self.directions < 1:
            raise ValueError(f"directions must be at least 1, not {self.directions}")
