"""The index of the notebooks is true: everything in the documents is listed, and every link leads to computed cells."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
INDEX = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
NAMES = [
    "01_shapes",
    "02_rules",
    "03_elementwise",
    "04_matrix_derivatives",
    "05_single_layer",
    "06_backpropagation",
    "07_training",
    "08_likelihood",
    "09_verification",
    "10_transformer_block",
]
LINK = re.compile(r"\[\d\d\]\((\w+)\.ipynb#([^)]+)\)")

SLIDES = {
    "Probability density", "Expectation and variance", "Random vectors", "Bivariate normal", "Sum and product rules",
    "Bayesian inference", "Naïve Bayes", "Chain rule of conditional", "p(a, b, c, d, e)", "Language model", "LDA",
    "Maximum likelihood estimation", "Shannon entropy", "Cross entropy, the quiz", "single label",
    "Cross entropy cost", "Kullback–Leibler", "Cross entropy and KL", "Linear algebra notation", "einsum", "Hadamard",
    "Scenario 1", "Scenario 2", "Sum rule", "Product rule", "Chain rule", "Quotient rule", "Scalar differentiation",
    "scalar chain rule", "Multivariate differentiation", "Example: multivariate differentiation",
    "multivariate chain rule", "Vector field differentiation", "f = Ax", "Derivatives with respect to matrices",
    "Example 1", "Example 2", "Example 3", "∂f/∂b and ∂f/∂A", "∂f/∂z", "∂z/∂A", "Putting things together",
    "Gradient descent", "Multi-layer network: f_i", "∂L/∂θ_i", "stored", "δ_K … δ_1", "Chain rule for vectors",
    "combined chain rule", "NN()",
}  # fmt: skip
NOTE = {f"({n})" for n in range(1, 5)} | {"too big for memory"}
PART_1 = {f"Eq. {n} " for n in range(1, 31)}
PART_2 = {
    "f(x, y, z)", "stack of gradients", "square Jacobian", "diagonal condition", "binary operators", "Scalar expansion",
    "sum(", "Chain rules", "**w** · **x** + b", "The loss",
}  # fmt: skip


def section(title):
    """The rows of the table under a heading: what is listed, and the rest of the row."""
    text = re.search(rf"^### {title}.*?$(.*?)(?=^##|\Z)", INDEX, re.M | re.S)[1]
    return [line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| ")][1:]


def cells(name):
    return json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]


def sections(name):
    """The code cells under every heading of a notebook."""
    found, heading = {}, None
    for cell in cells(name):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for line in source.splitlines():
                if line.startswith("#"):
                    heading = line.lstrip("# ").replace(" ", "-")
                    found[heading] = []
        elif heading:
            found[heading].append(source)
    return found


@pytest.mark.parametrize(
    ("title", "items", "count"),
    [("Slides", SLIDES, 50), ("Note", NOTE, 13), ("Walkthrough of Parr & Howard, part 1", PART_1, 30),
     ("Walkthrough of Parr & Howard, part 2", PART_2, 10)],
)  # fmt: skip
def test_everything_in_the_documents_is_listed(title, items, count):
    rows = section(title)
    assert len(rows) == count
    assert len({what for what, _ in rows}) == count
    for item in items:
        assert any(item in f"{what} " for what, _ in rows), item
    for what, where in rows:
        assert LINK.search(where), what


@pytest.mark.parametrize("name", NAMES)
def test_every_notebook_is_linked_and_complete(name):
    assert f"]({name}.ipynb): " in INDEX
    assert (NOTEBOOKS / "pictures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    every = cells(name)
    code = [c for c in every if c["cell_type"] == "code"]
    text = "".join("".join(c["source"]) for c in every)
    assert all(c["execution_count"] == n for n, c in enumerate(code, 1)), "run it from top to bottom and save it"
    assert "*Covers:*" in text
    assert "assert " in text
    assert "**Exercise.**" in text or name == "09_verification"
    for output in (o for c in code for o in c["outputs"]):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr", output["text"]
    for folder in ("/home/", "/root/", "/tmp/", "/Users/"):
        assert folder not in json.dumps(every)
