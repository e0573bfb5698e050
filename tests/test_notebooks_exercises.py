"""Exercises answer: without an answer with a hint, and the solution that is folded away under them is right.

A notebook's code runs here in one process, with the code of each solution in place of the answers that are left open.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import jacobians.checking

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
OPEN = re.compile(r"^your_\w+ = (\.\.\.|\((\.\.\.(, )?)+\)).*$", re.M)
SOLUTION = re.compile(r"<details><summary>Solution</summary>.*?</details>", re.S)
CODE = re.compile(r"```python\n(.*?)```", re.S)
SKIPPED = re.compile(r"^check\w*\(.*\)\.raise_if_wrong\(\)$", re.M)
"""Lines that no solution needs."""


def cells(path):
    return [(c["cell_type"], "".join(c["source"])) for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]


NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_a_cell_to_answer_in_a_hint_and_a_solution(name):
    every = cells(NOTEBOOKS / f"{name}.ipynb")
    exercises = sum(source.count("**Exercise.**") for kind, source in every if kind == "markdown")
    solutions = [s for kind, source in every if kind == "markdown" for s in SOLUTION.findall(source)]
    answers = [source for kind, source in every if kind == "code" and OPEN.search(source)]
    grades = [source for kind, source in every if kind == "code" and re.search(r"^grade\(", source, re.M)]
    assert exercises >= 1
    assert len(solutions) == exercises
    assert len(answers) >= exercises
    assert all("hint=" in source for source in grades)
    for source in answers:
        for answer in re.findall(r"^(your_\w+) = ", source, re.M):
            assert any(re.search(rf"^{answer} = ", code, re.M) for s in solutions for code in CODE.findall(s)), answer


@pytest.mark.parametrize("name", NAMES)
def test_every_solution_is_right(name, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is optional").use("agg")
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is optional")
    every = cells(NOTEBOOKS / f"{name}.ipynb")
    graded = []

    def recorded(*arguments, **options):
        graded.append(jacobians.checking.grading.grade(*arguments, **options))
        return graded[-1]

    monkeypatch.setattr(jacobians.checking, "grade", recorded)
    module = ModuleType(f"notebook_{name}")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # dataclasses look for theirs
    last = max(k for k, (kind, source) in enumerate(every) if kind == "code" and "grade(" in source)
    for k, (kind, source) in enumerate(every[: last + 1]):
        if kind != "code":
            continue
        if OPEN.search(source):
            found = next(s for kind, text in every[k:] if kind == "markdown" for s in SOLUTION.findall(text))
            (code,) = CODE.findall(found)
            start = OPEN.search(source).start()
            source = source[:start] + code + OPEN.sub("", source[start:])
        exec(compile(SKIPPED.sub("", source), f"{name}[{k}]", "exec"), vars(module))
        pyplot.close("all")
    assert graded
    assert not [str(one) for one in graded if one.right is not True]
