"""The formulas in the notebooks can be typeset by MathJax (JupyterLab, GitHub, exports) and by KaTeX (VS Code).

What can be told without them: pairs are closed, macros are known to both, and outputs as HTML need neither.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.S)
MACRO = re.compile(r"\\([a-zA-Z]+|.)", re.S)
ENVIRONMENTS = {"aligned", "bmatrix", "pmatrix", "cases", "array"}
LISTED = r"""
alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau varphi phi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
partial nabla frac tfrac sum prod int lim max min log ln exp sin cos tan tanh sinh cosh det sqrt surd operatorname
cdot cdots dots ldots vdots times otimes oslash odot circ pm in to le leq ge geq ne neq approx sim infty Vert top
leftarrow rightarrow left right Big lceil rceil underbrace hat bar vec dot mathbb mathrm mathbf text begin end
quad qquad , ; ! _ | { } \ % & #
"""
MACROS = {*LISTED.split(), " "}


def texts(cell):
    """The Markdown of a cell, or the LaTeX that it shows."""
    if cell["cell_type"] == "markdown":
        yield CODE.sub("", "".join(cell["source"]))
    for output in cell.get("outputs", ()):
        for kind in ("text/latex", "text/markdown"):
            yield "".join(output.get("data", {}).get(kind, ""))


def problems(formula):
    """What cannot be typeset in a formula."""
    macros = MACRO.findall(formula)
    yield from (f"\\{name} is not known" for name in macros if name not in MACROS)
    bare = MACRO.sub("m", formula)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        if depth < 0:
            break
    if depth:
        yield "braces are not closed"
    if macros.count("left") != macros.count("right"):
        yield "\\left without \\right"
    begun, ended = (re.findall(rf"\\{word}{{(\w+)}}", formula) for word in ("begin", "end"))
    if sorted(begun) != sorted(ended) or not {*begun} <= ENVIRONMENTS:
        yield f"environments {begun} {ended}"
    if re.search(r"[_^]\s*(?=$|[_^}])", bare) or re.search(r"_{[^{}]*}_|\^{[^{}]*}\^", bare):
        yield "an index of nothing, or two"
    if re.search("[^\x00-\x7f]", re.sub(r"\\text{[^{}]*}", "", formula)):
        yield "letters that are not LaTeX"


@pytest.mark.parametrize("name", NAMES)
def test_formulas_can_be_typeset(name):
    for cell in json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
        for text in texts(cell):
            assert text.replace(r"\$", "").count("$") % 2 == 0, cell["id"]
            for display, inline in FORMULA.findall(text):
                assert not [*problems(display or inline)], (cell["id"], display or inline)
                assert display or "\n\n" not in inline, (cell["id"], inline)


@pytest.mark.parametrize("name", NAMES)
def test_pages_need_no_typesetting(name):
    for cell in json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            assert "$" not in "".join(output.get("data", {}).get("text/html", "")), cell["id"]


@pytest.mark.parametrize(
    "formula",
    [r"\frac{a}{b", r"\fracc{a}{b}", r"a_", r"x_{i}_{j}", r"\left( a", r"\begin{aligned} a", "δ_{ij}", r"}a{", r"{}^"],
)
def test_mistakes_are_found(formula):
    assert [*problems(formula)]


@pytest.mark.parametrize(
    "formula", [r"\sum_i x_{i}^2", r"\{a \mid b\}".replace(r"\mid", "|"), r"\text{where δ} = 0", "f'"]
)
def test_what_is_right_is_let_through(formula):
    assert not [*problems(formula)]
