"""The order of the rooms: what may import what, read off the source.

Imports under ``TYPE_CHECKING`` count like all others: two modules that must know each other's types are one idea in two
files, whether or not Python notices.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1] / "jacobians"
GROUND = {
    "__init__", "__main__", "checking", "core", "engine", "errors", "functions", "kept", "layers", "nn", "notation",
    "show", "training",
}  # fmt: skip
ENGINE_ROOMS = {"core", "engine", "show"}
EXTRAS = {"autograd", "dask", "h5py", "jax", "matplotlib", "scipy", "tqdm", "zarr"}
"""Optional packages, which are imported where they are used."""

DOORS = {("functions.graph", "checking"), ("checking.plugin", "__init__"), ("checking.plugin", "checking")}
"""Methods that open another room: ``g.check()`` loads the checker when it is called, and the checker is written with
`jacobian` itself; pytest loads the plugin without the library. Such imports stand inside of the method, and do not
count as arrows."""


class Import(NamedTuple):
    """A name that a module imports, from where, and whether it does so inside of a function."""

    origin: str
    name: str
    inside: bool


def module_name(path: Path) -> str:
    """``core.layer``; a package is called as its folder is, the library itself ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports(source: str, module: str, modules: Mapping[str, object] = MODULES) -> Iterator[Import]:
    """The imports of a source text; those of the library without its name, as ``core.layer``."""

    def resolved(dotted: str) -> str:
        if dotted == "jacobians":
            return "__init__"
        return dotted.removeprefix("jacobians.") if dotted.startswith("jacobians.") else f"!{dotted}"

    def visit(node: ast.AST, inside: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(resolved(alias.name), "", inside)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"{module} has a relative import"
                origin = resolved(child.module or "")
                for alias in child.names:
                    inner = alias.name if origin == "__init__" else f"{origin}.{alias.name}"
                    yield Import(inner if inner in modules else origin, alias.name, inside)
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from visit(child, inside or function)

    return visit(ast.parse(source), False)


IMPORTS = {name: list(imports(path.read_text(encoding="utf-8"), name)) for name, path in MODULES.items()}


def room(module: str) -> str:
    """The room on the ground that a module is in."""
    return module.partition(".")[0]


def ways(imports: Mapping[str, list[Import]]) -> dict[str, set[str]]:
    """Which modules of the library each one imports."""
    return {
        name: {i.origin for i in found if i.origin in imports and (name, room(i.origin)) not in DOORS}
        for name, found in imports.items()
    }


def circles(ways: Mapping[str, set[str]]) -> list[set[str]]:
    """The sets of more than one that can all be reached from each other."""

    def reached(start: str) -> set[str]:
        found, waiting = set(), [start]
        while waiting:
            for one in ways.get(waiting.pop(), ()):
                if one not in found:
                    found.add(one)
                    waiting.append(one)
        return found

    after = {name: reached(name) for name in ways}
    found: list[set[str]] = []
    for name in ways:
        together = {other for other in after[name] if name in after[other]}
        if len(together) > 1 and together not in found:
            found.append(together)
    return found


def private(imports: Mapping[str, list[Import]]) -> list[str]:
    """Private names that are imported from another module."""
    return [
        f"{name} imports {one.name} from {one.origin}"
        for name, found in imports.items()
        for one in found
        if one.name.startswith("_") and not one.name.endswith("__") and not one.origin.startswith("!__future__")
    ]


def engine_from_outside(imports: Mapping[str, list[Import]]) -> list[str]:
    """Imports of the engine from rooms that should not know it."""
    return [
        f"{name} imports {one.origin}"
        for name, found in imports.items()
        for one in found
        if room(one.origin) == "engine" and room(name) not in ENGINE_ROOMS
    ]


def inside_functions(imports: Mapping[str, list[Import]]) -> list[tuple[str, str]]:
    """Imports inside of functions that are not of optional packages."""
    return [
        (name, one.origin)
        for name, found in imports.items()
        for one in found
        if one.inside
        and one.origin.lstrip("!").partition(".")[0] not in EXTRAS
        and (name, room(one.origin)) not in DOORS
    ]


def test_no_modules_import_each_other_in_a_circle():
    assert circles(ways(IMPORTS)) == []


def test_no_rooms_import_each_other_in_a_circle():
    between: dict[str, set[str]] = {}
    for name, others in ways(IMPORTS).items():
        between.setdefault(room(name), set()).update({room(o) for o in others} - {room(name), "__init__"})
    assert circles(between) == []


def test_no_private_name_is_imported_by_another_module():
    assert private(IMPORTS) == []


def test_the_engine_is_imported_by_core_and_show_only():
    assert engine_from_outside(IMPORTS) == []


def test_the_ground_holds_twelve_rooms_at_most():
    found = {room(name) for name in MODULES}
    assert found <= GROUND
    assert {path.name for path in ROOT.iterdir() if path.is_dir()} - {"__pycache__"} <= GROUND


def test_imports_inside_functions_are_of_optional_packages_only():
    assert inside_functions(IMPORTS) == []


@pytest.mark.parametrize(
    ("sources", "rule"),
    [
        ({"core.a": "from jacobians.core.b import x", "core.b": "from jacobians.core import a"}, "circle"),
        ({"core.a": "if TYPE_CHECKING:\n    import jacobians.core.b", "core.b": "import jacobians.core.a"}, "circle"),
        ({"core.a": "def f():\n    from jacobians.core.b import x", "core.b": "import jacobians.core.a"}, "circle"),
        ({"core.a": "from jacobians.core.b import _x", "core.b": ""}, "private"),
        ({"layers.a": "from jacobians.engine import tape", "engine.tape": ""}, "engine"),
        ({"layers.a": "from jacobians.engine.tape import Tape", "engine.tape": ""}, "engine"),
        ({"core.a": "class A:\n    def f(self):\n        import json"}, "inside"),
    ],
)
def test_each_rule_notices_what_breaks_it(sources, rule):
    found = {name: list(imports(text, name, sources)) for name, text in sources.items()}
    broken = {
        "circle": bool(circles(ways(found))),
        "private": bool(private(found)),
        "engine": bool(engine_from_outside(found)),
        "inside": bool(inside_functions(found)),
    }
    assert broken[rule]
