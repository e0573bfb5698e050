"""The notebooks run from top to bottom, and what is saved in them is what they say today.

Their cells run in a shell of IPython as in a notebook, in this process: a kernel for each would take longer to start
than the cells take. Numbers may differ in the last digits between machines, so they are left out of the comparison.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("IPython", reason="notebooks are run by IPython")
pytest.importorskip("matplotlib_inline", reason="their pictures are drawn by it")

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NUMBER = re.compile(r"(?<![\w₀-₉])[-−]?\d[\d,]*\.?\d*(e[-+]?\d+)?")
PLACE = re.compile(r"\([^()\s]+, line #|\b[mnμ]?s\b")  # of a cell, which each kernel calls otherwise; units of time
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


class Shell(InteractiveShell):
    """A shell without windows."""

    def enable_gui(self, gui=None):
        pass


@pytest.fixture(scope="module")
def one_shell(tmp_path_factory):
    """A shell as a notebook has it, with its pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.delenv("VIRTUAL_ENV", raising=False)  # which may be that of the shell that pytest was started in
        main = sys.modules["__main__"]
        found = Shell.instance(config=Config(HistoryManager={"enabled": False}))
        found.enable_matplotlib("inline")
        yield found
        Shell.clear_instance()
        sys.modules["__main__"] = main


@pytest.fixture
def shell(one_shell, tmp_path, monkeypatch):
    """The shell, with nothing of the notebook before."""
    monkeypatch.chdir(tmp_path)
    one_shell.reset(new_session=True)
    yield one_shell
    from matplotlib import pyplot

    pyplot.close("all")


def told(text):
    """What a text says, but for numbers."""
    return PLACE.sub("#", NUMBER.sub("#", re.sub(r"[-−]?\b(nan|inf)\b", "#", text))).split()


def of_page(data):
    """The text of a page, without what numbers decide: colours, and pictures drawn from them."""
    return told(re.sub(r"<[^>]*>", " ", data))


def run(shell, source):
    """What a cell writes, and the data of what it shows."""
    with shell.display_trap, capture_output() as captured:  # in this order: values go to what captures
        result = shell.run_cell(source)
    result.raise_error()
    assert captured.stderr == ""
    shown = [output.data for output in captured.outputs]
    return captured.stdout, shown


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_is_what_it_says_today(name, shell):
    every = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in every:
        if cell["cell_type"] != "code":
            continue
        written, shown = run(shell, "".join(cell["source"]))
        saved = [output.get("data", {}) for output in cell["outputs"] if output["output_type"] != "stream"]
        stream = "".join("".join(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream")
        where = f"{cell['id']}: run the notebook and save it"
        assert told(written) == told(stream), where
        assert [set(data) for data in shown] == [set(data) for data in saved], where
        for new, old in zip(shown, saved, strict=True):
            for kind in set(new) - {"image/png", "text/plain"}:
                assert of_page(new[kind]) == of_page("".join(old[kind])), where
            if "image/png" not in new:  # that of a picture says how large it is
                assert told(new["text/plain"]) == told("".join(old["text/plain"])), where
