"""What people see, held against files that were looked at. ``REWRITE_GOLDEN=1`` writes them anew; then look at them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from jacobians import Affine, Chain, Linear, MatMul, Residual, Softmax, SquaredError, Tanh, trace

GOLDEN = Path(__file__).parent / "golden"

A = np.array([[0.5, 1.0], [-1.0, 0.25], [0.0, 0.75]])
B = np.array([[1.0, -0.5, 0.0], [0.5, 0.25, -1.0]])
x = np.array([1.0, -0.5])
single = Chain(Affine(A, np.zeros(3)), Tanh())
two = Chain(hidden=single, out=Affine(B, np.zeros(2)), p=Softmax(), loss=SquaredError(np.array([0.0, 1.0])))
residual = Chain(Residual(Chain(Linear(np.eye(2)), Tanh())), Linear(A))


def squares(A, x, y):
    f = np.tanh(A @ x)
    e = y - f
    loss = np.sum(e**2) / 2
    return loss  # noqa: RET504 - a name to be found


graph = trace(squares, A, x, np.array([1.0, 0.0, -1.0]))


def without_counts(text):
    """FLOPs are the engine's business, not the page's."""
    return re.sub(r"[\d,]+ FLOPs +", "… FLOPs  ", re.sub(r"[\d,]+ FLOPs<", "… FLOPs<", text))


def rendered():
    J = single.linearize(x)[1]["0.A"]
    dzdA = Affine(A, np.zeros(3)).linearize(x)[1]["A"]
    matmul = MatMul().linearize(A, B)[1]["x"]
    for name, value in {
        "table_single": single.table(x),
        "table_two": two.table(x),
        "explain_single": single.explain(x, wrt="0.A"),
        "explain_two": two.explain(x, wrt="hidden.0.A"),
        "explain_residual": residual.explain(x, wrt="x"),
        "diagram_two": two.diagram(x),
        "diagram_residual": residual.diagram(x),
        "graph": graph,
        "graph_table": graph.table(),
        "graph_explain": graph.explain("A"),
        "graph_diagram": graph.diagram(),
        "layouts": dzdA.layouts(),
        "layouts_gradient": two.linearize(x)[1]["x"].named("L", "x").layouts(),
        "jacobian": dzdA,
        "jacobian_matmul": matmul,
        "jacobian_chain": J,
    }.items():
        yield f"{name}.txt", without_counts(f"{value}\n")
        yield f"{name}.html", without_counts(f"{value._repr_html_()}\n")
        if hasattr(value, "svg"):
            yield f"{name}.svg", f"{value.svg()}\n"
        if hasattr(value, "_repr_latex_"):
            yield f"{name}.tex", f"{value._repr_latex_()}\n"
    yield "chain.html", f"{two._repr_html_()}\n"


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for name, text in rendered()])
def test_looks_as_before(name, text):
    path = GOLDEN / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_there_are_no_other_files():
    assert {path.name for path in GOLDEN.iterdir()} == {name for name, _ in rendered()}


@pytest.mark.parametrize(("name", "text"), [pytest.param(n, t, id=n) for n, t in rendered() if n.endswith(".html")])
def test_the_html_has_no_scripts_and_follows_the_theme(name, text):
    from html.parser import HTMLParser

    class Balanced(HTMLParser):
        open: list[str] = []  # noqa: RUF012 - it is replaced, never changed

        def handle_starttag(self, tag, attributes):
            if tag != "img":  # which has no end
                self.open = [*self.open, tag]
            assert tag != "script"
            assert not any(attribute.startswith("on") for attribute, _ in attributes)

        def handle_startendtag(self, tag, attributes):
            pass

        def handle_endtag(self, tag):
            *self.open, last = self.open
            assert last == tag

    parser = Balanced()
    parser.feed(text)
    parser.close()
    assert parser.open in ([], ["rect", "path"]), parser.open
    assert not re.search(r"(?<!-)\b(black|white)\b(?!-space)", text)  # colours come from the page,
    for style in re.findall('style="([^"]*)"', text):  # or letters and what is behind them are both given
        assert "color:#" not in style or "background-color:#" in style
