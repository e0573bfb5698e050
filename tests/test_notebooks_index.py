"""The index of the notebooks is true: all that the documents have is listed, and each row's cell does what it says.

A row names a cell: `id`. That cell computes and compares: it has an `assert` or a check. Where the row says
*differences*, the cell measures with finite differences; where it says *picture*, its output is one.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
INDEX = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
ROW = re.compile(
    r"^\| (?P<what>.+?) \| \[\d\d\]\((?P<name>\w+)\.ipynb#(?P<anchor>[^)]+)\) \| (?P<cells>`.+?`) \| (?P<how>.*?) ?\|$"
)
MEASURES = re.compile(r"\b(check|check_jacobian|check_vjp|check_jvp|numerical_jacobian|partial)\(|\bof=")
COMPARES = re.compile(r"\bassert |AssertionError|\bgrade\(")

SLIDES = {
    "Probability density", "Chart of distributions", "E[X]", "E[g(X)]", "Var[X]", "Cov[X, Y]", "E[c] = c", "E[cX]",
    "E[X + Y]", "Var[c] = 0", "Var[c + X]", "Var[cX]", "Var[X + Y]", "Random vectors", "Bivariate normal",
    "Sum rule and product rule", "Bayesian inference", "Naïve Bayes", "Chain rule of conditional",
    "p(a, b, c, d, e)", "Language model", "pickled pepper", "Neural language model", "LDA",
    "Maximum likelihood estimation", "Shannon entropy", "bits", "Cross entropy", "the quiz", "single label",
    "Cross entropy cost", "Kullback–Leibler", "Jensen", "Cross entropy and KL", "Linear algebra notation", "Transpose",
    "AB ≠ BA", "Neighbouring dimensions", "C_ij", "Useful properties", "einsum", "Hadamard", "Scenario 1",
    "Scenario 2", "Sum rule", "Product rule", "Chain rule", "Quotient rule", "Scalar differentiation", "beginner",
    "advanced", "Multivariate differentiation", "dL/de", "de/dx", "dL/dx", "Vector field differentiation", "f = Ax",
    "Derivatives with respect to matrices", "Example 1", "Example 2", "Example 3", "∂f/∂b", "∂f/∂A", "∂f/∂z", "∂z/∂b",
    "∂z/∂A", "Putting things together", "∂L/∂e", "∂e/∂f", "ε ~ N(0, Σ)", "Gradient descent", "steepest descent",
    "L(θ₀) ≥ L(θ₁)", "Multi-layer network: f_i", "∂L/∂θ_i", "stored", "δ_K … δ_1", "how to calculate gradients",
    "Summary", "Chain rule for vectors", "combined chain rule", "NN()",
}  # fmt: skip
NOTE = {
    f"({n}) {what}" for n in range(1, 5) for what in ("definition", "chain rule", "linear approximation")
} | {"too big for memory", "(i, :) · (:, j)"}  # fmt: skip
PART_1 = {f"Eq. {n} " for n in range(1, 31)}
PART_2 = {
    "f(x, y, z)", "stack of gradients", "square Jacobian", "diagonal condition", "binary operators", "Scalar expansion",
    "sum(", "Chain rules", "**w** · **x** + b", "The loss", "Backpropagation",
}  # fmt: skip


class Row(NamedTuple):
    """What is in a document, the notebook and heading where it is computed, the cells that do it, and how."""

    what: str
    name: str
    anchor: str
    cells: tuple[str, ...]
    how: str


def rows(title):
    """The rows of the table under a heading."""
    text = re.search(rf"^##+ {title}.*?$(.*?)(?=^##|\Z)", INDEX, re.M | re.S)[1]
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    found = []
    for line in lines:
        match = ROW.match(line)
        assert match, f"not a row: {line}"
        found.append(Row(match["what"], match["name"], match["anchor"], tuple(re.findall("`(.+?)`", match["cells"])),
                         match["how"]))  # fmt: skip
    return found


TITLES = ["Slides", "Note", "Walkthrough of Parr & Howard, part 1", "Walkthrough of Parr & Howard, part 2"]
ROWS = [row for title in [*TITLES, "Errors in the documents"] for row in rows(title)]


@cache
def cells(name):
    return json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


@cache
def by_id(name):
    """Every code cell by its id, with the heading that it stands under."""
    found, heading = {}, None
    for cell in cells(name):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for line in source.splitlines():
                if line.startswith("#"):
                    heading = line.lstrip("# ").replace(" ", "-")
        else:
            found[cell["id"]] = (heading, source, cell["outputs"])
    return found


def draws(outputs):
    """Whether an output is a picture: of pixels, or a table or drawing that is hovered over."""
    for output in outputs:
        data = output.get("data", {})
        page = "".join(data.get("text/html", ""))
        if "image/png" in data or "image/svg+xml" in data or "<img" in page or " title=" in page:
            return True
    return False


@pytest.mark.parametrize(("title", "items"), list(zip(TITLES, [SLIDES, NOTE, PART_1, PART_2], strict=True)), ids=TITLES)
def test_everything_in_the_documents_is_listed(title, items):
    found = [row.what for row in rows(title)]
    assert len(set(found)) == len(found)
    assert not [item for item in items if not any(item in f"{what} " for what in found)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name[:2]}-{row.cells[0]}-{row.what[:30]}")
def test_every_row_is_true(row):
    here = by_id(row.name)
    assert set(row.cells) <= here.keys()
    sources = [here[cell][1] for cell in row.cells]
    assert here[row.cells[0]][0] == row.anchor, "the first cell stands under the heading that is linked"
    assert all(COMPARES.search(source) or MEASURES.search(source) for source in sources), "a cell that compares nothing"
    if "differences" in row.how:
        assert any(MEASURES.search(source) for source in sources)
    if "picture" in row.how:
        assert any(draws(here[cell][2]) for cell in row.cells)


def test_derivatives_are_measured():
    """What is called a derivative, gradient or Jacobian in the index is compared with finite differences."""
    derivative = re.compile("∂|gradient|Jacobian|derivative|linear approximation|chain rule|df/|dL/|de/", re.I)
    exempt = re.compile("conditional|shape|labelled|Jacobian vector|memory|stored|definition|Error", re.I)
    unmeasured = [
        row.what for title in TITLES for row in rows(title)
        if derivative.search(row.what) and not exempt.search(row.what) and "differences" not in row.how
    ]  # fmt: skip
    assert not unmeasured


@pytest.mark.parametrize("name", NAMES)
def test_every_notebook_is_linked_and_complete(name):
    assert f"]({name}.ipynb): " in INDEX
    assert (NOTEBOOKS / "pictures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert (NOTEBOOKS / f"{name}.ipynb").stat().st_size < 400_000
    every = cells(name)
    code = [c for c in every if c["cell_type"] == "code"]
    text = "".join("".join(c["source"]) for c in every)
    assert all(c["execution_count"] == n for n, c in enumerate(code, 1)), "run it from top to bottom and save it"
    assert "*Covers:*" in text
    assert "assert " in text
    assert "**Exercise.**" in text
    assert re.search(r"\?", "".join(every[0]["source"])), "a notebook opens with a question"
    for output in (o for c in code for o in c["outputs"]):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr", output["text"]
    for folder in ("/home/", "/root/", "/tmp/", "/Users/"):
        assert folder not in json.dumps(every)


def test_the_pictures_are_those_of_the_notebooks():
    assert sorted(path.stem for path in (NOTEBOOKS / "pictures").glob("*.png")) == NAMES
