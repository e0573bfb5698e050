"""What is left of our HTML where a notebook is not trusted: JupyterLab's sanitiser, restated, takes nothing away.

The lists are those of JupyterLab 4 (``packages/apputils/src/sanitizer.ts``): elements, attributes and properties of
``style`` that are not on them are dropped; of a dropped element the text stays, except for scripts and styles.
"""

from __future__ import annotations

import base64
import html
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from jacobians import Affine, Chain, Layer, Residual, SquaredError, Tanh, check, check_jacobian, trace
from jacobians.checking import grade

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LISTED = """
a abbr b blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font h1
h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strike strong sub summary sup table tbody
td tfoot th thead tr tt u ul var
"""
ELEMENTS = frozenset(LISTED.split())
ATTRIBUTES = {"class", "dir", "hidden", "id", "lang", "style", "title"}
OF_ELEMENTS = {"img": {"alt", "src", "width", "height"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"},
               "details": {"open"}, "a": {"href"}}  # fmt: skip
STYLED = """
align-items background background-color border border-bottom border-collapse border-left border-radius color display
flex-wrap font-family font-size font-style font-weight height line-height margin margin-top max-width min-width opacity
overflow-x overflow-y padding padding-left padding-top text-align vertical-align white-space width
"""
PROPERTIES = frozenset(STYLED.split())


class Sanitised(HTMLParser):
    """What JupyterLab shows, and what it drops."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.dropped: list[str] = []
        self.kept: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in ELEMENTS:
            self.dropped.append(f"<{tag}>")
            return
        given = dict(attrs)
        for name in given:
            if name not in ATTRIBUTES | OF_ELEMENTS.get(tag, set()):
                self.dropped.append(f"{tag}.{name}")
        for part in filter(None, (given.get("style") or "").split(";")):
            if part.partition(":")[0].strip() not in PROPERTIES:
                self.dropped.append(f"style {part}")
        self.kept.append((tag, given))

    def handle_data(self, data):
        self.text.append(data)


A = np.array([[0.5, 1.0], [-1.0, 0.3], [0.2, 0.8]])
x = np.array([1.0, -0.5])
NET = Chain(hidden=Affine(A, np.ones(3)), tanh=Tanh(), rest=Residual(Tanh()), loss=SquaredError(np.zeros(3)))
J = NET[:1].linearize(x)[1]["hidden.A"]


class Odd(Layer):
    """f = x³, with a wrong derivative."""

    def forward(self, x):
        return x**3

    def local(self, x, f):
        from jacobians import term

        return {"x": term("x_i -> i;i", x)}


OUTPUTS = {
    "Jacobian": J,
    "large Jacobian": Affine(np.ones((8, 3)), np.ones(8)).linearize(np.arange(3.0))[1]["A"],
    "entries": J.plot(kind="entries"),
    "layouts": J.layouts(),
    "table": NET.table(x),
    "explain": NET.explain(x, wrt="hidden.A"),
    "diagram": NET.diagram(x),
    "report": check(NET, x),
    "wrong report": check_jacobian(np.tanh, x, np.ones((2, 2))),
    "wrong layer": check(Chain(Affine(A, np.ones(3)), Odd()), x),
    "grade": grade("∂f/∂x", np.ones((2, 2)), of=np.tanh, at=x, hint="look & see"),
    "no answer": grade("∂f/∂x", ..., of=np.tanh, at=x, hint="δ_ij < 1"),
    "graph": trace(lambda x: np.tanh(A @ x), x).jacobian(),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_nothing_is_lost_in_an_untrusted_notebook(name):
    page = Sanitised(OUTPUTS[name]._repr_html_())
    assert not page.dropped
    assert not re.search(r"step 1e-?\d+1e", "".join(page.text))  # labels of a drawing do not leak into the text


@pytest.mark.parametrize("name", ["large Jacobian", "wrong report", "wrong layer"])
def test_drawings_are_images_that_can_be_parsed_and_have_a_text(name):
    images = [given for tag, given in Sanitised(OUTPUTS[name]._repr_html_()).kept if tag == "img"]
    assert images
    for image in images:
        kind, _, data = image["src"].partition(";base64,")
        assert kind == "data:image/svg+xml"
        drawing = ET.fromstring(base64.b64decode(data))
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert drawing.get("viewBox")
        assert b"currentColor" not in base64.b64decode(data)
        assert image["alt"]
        assert image["title"]


def stripped(page):
    """What GitHub shows of HTML: no styles, no classes, so all elements in a line stand behind each other."""
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"</(p|td|th|tr|div|summary)>", "\n", page)))


@pytest.mark.parametrize("name", ["Jacobian", "table", "explain", "graph", "entries"])
def test_formulas_are_typeset_without_dollars(name):
    """VS Code shows dollars in HTML as they are."""
    page = OUTPUTS[name]._repr_html_()
    assert "$" not in page
    assert "border-bottom:1px solid;" in page  # the line of a fraction
    assert re.search(r"<i>\w</i><sub><i>ij", page) or name == "entries"


@pytest.mark.parametrize("name", ["Jacobian", "table", "explain", "graph", "entries"])
def test_formulas_can_be_read_without_styles(name):
    value = OUTPUTS[name]
    lines = [line.replace(",", "").strip() for line in stripped(value._repr_html_()).splitlines()]
    for formula in [row.formula for row in value.rows] if name == "table" else [value.formula]:
        plain = formula.replace("_", "").replace("-", "−").translate(str.maketrans("²₀₁₂₃₄", "201234"))
        assert any(plain in line for line in lines), formula


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_nothing_is_lost_of_the_notebooks_as_they_are_downloaded(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            page = Sanitised("".join(output.get("data", {}).get("text/html", "")))
            assert not page.dropped, cell["id"]


@pytest.mark.parametrize("name", ["table", "explain", "layouts", "report"])
def test_cells_are_aligned_by_themselves(name):
    cells = [given for tag, given in Sanitised(OUTPUTS[name]._repr_html_()).kept if tag == "td"]
    assert cells
    assert all("text-align:" in given["style"] and "padding:" in given["style"] for given in cells)
