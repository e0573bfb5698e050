"""Reports as text, HTML and plain data."""

import base64
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np

from jacobians.checking import Report, check_jacobian
from jacobians.checking.report.html import page
from jacobians.checking.report.text import text
from jacobians.notation.formula import times as shape_text

x = np.array([0.5, -1.0])
right, wrong = np.diag(1 - np.tanh(x) ** 2), np.diag(1 - np.tanh(x))


def both() -> Report:
    return Report((*check_jacobian(np.tanh, x, right), *check_jacobian(np.tanh, x, wrong)), "tanh")


def test_text():
    lines = str(both()).splitlines()
    assert lines[0] == "tanh"
    assert re.fullmatch(r"✗  ∂f/∂x  2 × 2  wrong +rel\. error 7\.6e-01  ∂f\[1\]/∂x\[1\]", lines[1])
    assert "J ≈ D times 1/(1 + f)" in lines[2]
    assert lines[-1].startswith("✓  ∂f/∂x  2 × 2  right")
    assert "±" in str(both())


def test_colour_only_where_wanted():
    assert "\x1b[" not in str(both())
    assert "\x1b[31;1m✗" in text(both().findings, colour=True)


def test_html_is_well_formed_and_quiet():
    markup = both()._repr_html_()
    root = ElementTree.fromstring(re.sub(r"(<(?:img|meta|br)\b[^>]*)>", r"\1/>", markup))  # void elements, as in XML
    pictures = [image.attrib["src"].partition("base64,")[2] for image in root.iter("img")]
    assert len(pictures) == 2
    assert all(ElementTree.fromstring(base64.b64decode(one)).tag.endswith("svg") for one in pictures)
    assert "<script" not in markup
    assert page(both().findings).startswith("<!DOCTYPE html>")


def test_names_are_escaped():
    finding = replace(check_jacobian(np.tanh, x, right).findings[0], name="<b>&")
    report = Report((finding,))
    assert "&lt;b&gt;&amp;" in report._repr_html_()


def test_to_dict_is_json():
    plain = json.loads(json.dumps(both().to_dict()))
    assert plain["ok"] is False
    assert [entry["ok"] for entry in plain["jacobians"]] == [True, False]
    assert plain["jacobians"][1]["worst"][0]["index"] == [1, 1]
    json.dumps(check_jacobian(np.tanh, x, np.full((2, 2), np.nan)).to_dict(), allow_nan=False)


def test_shapes():
    assert shape_text((3,), (3, 2)) == "3 × (3×2)"
    assert shape_text((), (4,)) == "1 × 4"


def test_large_maps_are_reduced():
    n = 200
    J = np.eye(n)
    J[7, 150] = 1.0
    finding = check_jacobian(lambda x: 1.0 * x, np.linspace(1, 2, n), J).findings[0]
    assert finding.map is not None
    assert finding.map.shape == (48, 48)
    assert finding.map.sum() == 1
