"""The README is true: its code blocks run, its layer table is complete, its commands are those that are checked."""

from __future__ import annotations

import doctest
from pathlib import Path

from jacobians.layers import registry

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_code_blocks_print_what_they_say():
    blocks = [part.partition("```")[0] for part in README.split("```python\n")[1:]]
    assert len(blocks) >= 4
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "README", "README.md", 0)
    assert len(test.examples) > 15
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(test)
    assert result.failed == 0


def layer_table() -> str:
    families: dict[str, list[str]] = {}
    for one in registry.entries():
        families.setdefault(one.family, []).append(one.name)
    return "\n".join(f"| {family} | {', '.join(names)} |" for family, names in families.items())


def test_every_layer_is_listed():
    assert layer_table() in README


def test_the_commands():
    assert "pip install -e . && python -m jacobians\n" in README
    assert 'pip install -e ".[test]" && python -m pytest\n' in README
    script = (ROOT / ".ci" / "run").read_text()
    assert '-e ".[test]"' in script
    assert "python -m pytest" in script


def test_the_top_level_is_as_it_should_be():
    allowed = {"pyproject.toml", "README.md", "jacobians", "tests", "notebooks"}
    there = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert there - {"build", "dist"} - {n for n in there if n.endswith(".egg-info")} <= allowed
