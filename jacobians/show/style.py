"""The look of our HTML, in a form that survives where notebooks are shown before they are trusted.

JupyterLab strips ``<style>`` and ``<svg>`` from the outputs of a notebook that was downloaded, and keeps ``style``
attributes, ``title`` and ``<img>``. So fragments are written with classes, as pages are, and `styled` puts the rules
into the elements and every drawing into an image. GitHub strips the styles as well: what is `unstyled` is seen there.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser

from jacobians.notation.markup import typeset

LINE = "1px solid rgba(128,128,128,0.4)"
SERIF = "STIX Two Text,Cambria,Times New Roman,serif"
MONOSPACE = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
RULES: Mapping[str, str] = {
    "table": "border-collapse:collapse;border:0;margin:4px 0",
    "tr": "background:none",
    "th": f"text-align:left;padding:2px 10px;border:0;border-bottom:{LINE};white-space:nowrap",
    "td": f"text-align:left;padding:2px 10px;border:0;border-bottom:{LINE};white-space:nowrap",
    "p": "margin:4px 0",
    "code": f"font-family:{MONOSPACE};background:none",
    "pre": f"font-family:{MONOSPACE};background:none",
    "figure": "margin:6px 24px 6px 0",
    "table.steps td": "border:0;border-bottom:0",
    ".jacobians": "margin:6px 0",
    ".group": "font-weight:normal;font-style:italic;padding-top:10px",
    ".right": "text-align:right",
    ".words": "white-space:normal;min-width:150px",
    ".formula": f"font-family:{SERIF};font-size:115%",
    ".run": "white-space:nowrap",
    ".fraction": "display:inline-block;vertical-align:middle;text-align:center;line-height:1.25;white-space:nowrap;"
    "margin:0 1px",
    ".above": "display:block;border-bottom:1px solid;padding:0 2px",
    ".unstyled": "font-size:0",
    ".underneath": "display:block;padding:0 2px",
    ".sum": "display:inline-block;vertical-align:middle;text-align:center;line-height:1;margin:0 1px",
    ".sign": "display:block;font-size:130%",
    ".limit": "display:block;font-size:75%",
    ".wide": "white-space:normal;min-width:240px;max-width:560px",
    ".under": "display:inline-block;text-align:center;vertical-align:top;margin:0 3px",
    ".below": "display:block;opacity:0.7;font-size:85%",
    ".flow": "display:flex;flex-wrap:wrap;align-items:center",
    ".box": "display:inline-block;border:1px solid rgba(128,128,128,0.9);border-radius:5px;padding:4px 9px;"
    "text-align:center",
    ".inside": "display:flex;align-items:center;margin-top:4px",
    ".arrow": "display:inline-block;text-align:center;padding:0 5px;line-height:1.1",
    ".muted": "opacity:0.7",
}
INK = "#808080"  # of drawings: an image does not know the colour of the page, and this can be seen on light and dark
LONG = 60  # letters of a formula that is given lines of its own
EMPTY = {"br", "img", "hr", "col"}


def styled(fragment: str) -> str:
    """The fragment with its rules in ``style`` attributes and its drawings as images.

    Examples
    --------
    >>> styled('<p class="muted">a <b>b</b></p>')
    '<p style="margin:4px 0;opacity:0.7">a <b>b</b></p>'
    >>> styled('<svg width="3" height="4"></svg>')[:40]
    '<img src="data:image/svg+xml;base64,PHN2'
    """
    writer = _Writer()
    writer.feed(fragment)
    writer.close()
    return "".join(writer.written)


def shown(formula: str) -> str:
    """A formula, typeset; a long one takes several lines and does not widen its table."""
    return f'<div class="wide">{typeset(formula)}</div>' if len(formula) > LONG else typeset(formula)


class _Writer(HTMLParser):
    """Copies a fragment; classes become styles, drawings become images."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []
        self._drawing: list[str] = []
        self._label: Mapping[str, str] = {}
        self._tables: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._drawing or tag == "svg":
            self._draw(tag, given)
            return
        classes = given.pop("class", "").split()
        if tag == "table":
            self._tables.append(" ".join(classes))
        rules = [RULES.get(tag, ""), *(RULES.get(f".{name}", "") for name in classes)]
        if self._tables:
            rules += [RULES.get(f"table.{name} {tag}", "") for name in self._tables[-1].split()]
        found: dict[str, str] = {}
        for rule in (*rules, given.pop("style", "")):
            found |= dict(part.split(":", 1) for part in rule.split(";") if part)
        if found:
            given["style"] = ";".join(f"{name}:{value}" for name, value in found.items())
        self.written.append(f"<{tag}{_attributes(given)}>")

    def _draw(self, tag: str, given: dict[str, str]) -> None:
        if tag == "svg":
            self._label = given
            given = {"xmlns": "http://www.w3.org/2000/svg", **given}
        text = self.get_starttag_text() or ""
        self._drawing.append(f"<{tag}{_attributes(given)}{'/' if text.endswith('/>') else ''}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._drawing:
            self._drawing.append(f"</{tag}>")
            if tag == "svg":
                picture = b64encode("".join(self._drawing).replace("currentColor", INK).encode()).decode()
                self._drawing = []
                sizes = {name: self._label[name] for name in ("width", "height") if name in self._label}
                label = self._label.get("aria-label", "")
                image = {"src": f"data:image/svg+xml;base64,{picture}", **sizes, "alt": label, "title": label}
                self.written.append(f'<img{_attributes(image)} style="vertical-align:middle;margin:3px 10px 3px 0">')
            return
        if tag == "table":
            self._tables.pop()
        if tag not in EMPTY:
            self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        (self._drawing or self.written).append(data)

    def handle_entityref(self, name: str) -> None:
        (self._drawing or self.written).append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        (self._drawing or self.written).append(f"&#{name};")


def _attributes(given: Mapping[str, str]) -> str:
    return "".join(f' {_CASED.get(name, name)}="{escape(value)}"' for name, value in given.items())


_CASED = {"viewbox": "viewBox"}  # HTML parsers write attributes small; SVG's are not
