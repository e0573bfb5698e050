"""The README is true: its code blocks run, its layer table is complete, its commands are those that are checked.

``python -m tests.test_readme`` writes the table of layers anew; with ``code``, it prints the code blocks, for a type
checker.
"""

from __future__ import annotations

import doctest
import sys
from itertools import groupby
from pathlib import Path

from jacobians.layers import registry

ROOT = Path(__file__).parents[1]
PATH = ROOT / "README.md"
README = PATH.read_text(encoding="utf-8")
HEAD = "| family | layers |\n|---|---|\n"


def examples() -> list[doctest.Example]:
    blocks = [part.partition("```")[0] for part in README.split("```python\n")[1:]]
    return doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "README", "README.md", 0).examples


def test_code_blocks_print_what_they_say():
    assert len(examples()) > 15
    test = doctest.DocTest(examples(), {}, "README", "README.md", 0, README)
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(test)
    assert result.failed == 0


def layer_table() -> str:
    rows = groupby(registry.entries(), key=lambda one: one.family)
    return HEAD + "\n".join(f"| {family} | {', '.join(one.name for one in group)} |" for family, group in rows) + "\n\n"


def test_every_layer_is_listed():
    assert layer_table() in README, "python -m tests.test_readme writes the table anew"


def test_the_commands():
    commands = [line for block in README.split("```sh\n")[1:] for line in block.partition("```")[0].splitlines()]
    assert commands == ["pip install -e . && python -m jacobians", 'pip install -e ".[test]" && python -m pytest']


def test_the_top_level_is_as_it_should_be():
    allowed = {"pyproject.toml", "README.md", "jacobians", "tests", "notebooks"}
    there = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert there - {"build", "dist"} - {n for n in there if n.endswith(".egg-info")} <= allowed


if __name__ == "__main__" and sys.argv[1:] == ["code"]:
    print("".join(one.source for one in examples() if one.exc_msg is None))
elif __name__ == "__main__":
    before, _, rest = README.partition(HEAD)
    PATH.write_text(before + layer_table() + rest.partition("\n\n")[2], encoding="utf-8")
