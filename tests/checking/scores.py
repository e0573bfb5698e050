"""How many planted mistakes are caught, and how many correct derivatives raise a false alarm.

Run ``python -m tests.checking.scores``; it prints a Markdown table.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.checking import check_jacobian
from tests.checking.hard_points import POINTS
from tests.checking.mistakes import MISTAKES
from tests.checking.rivals import RULES

Rule = Callable[[Callable[[Any], Any], Any, Any], bool]


def accepts(rule: Rule, f: Callable[[Any], Any], x: Any, J: Any) -> bool:
    """Whether a rule accepts J; a rule that raises does not."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return rule(f, x, J)
    except Exception:
        return False


def score(rule: Rule) -> tuple[int, int, int]:
    """Return mistakes caught, false alarms on their correct twins, false alarms at hard points."""
    caught = sum(not accepts(rule, case.f, case.x, case.wrong) for case in MISTAKES)
    twins = sum(not accepts(rule, case.f, case.x, case.right) for case in MISTAKES)
    hard = sum(not accepts(rule, case.f, case.x, case.right) for case in POINTS)
    return caught, twins, hard


def ours(f: Callable[[Any], Any], x: Any, J: Any) -> bool:
    """Accept what `check_jacobian` finds right."""
    return check_jacobian(f, x, J).ok


def table() -> str:
    """Return the scores as a Markdown table."""
    lines = [
        f"| rule | mistakes caught, of {len(MISTAKES)} | false alarms on correct twins, of {len(MISTAKES)} "
        f"| false alarms at hard points, of {len(POINTS)} |",
        "|---|---:|---:|---:|",
    ]
    for name, rule in {"jacobians.check": ours, **RULES}.items():
        lines.append(f"| {name} | " + " | ".join(str(number) for number in score(rule)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
