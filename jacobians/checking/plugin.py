"""A plugin for pytest: a fixture that checks Jacobians, and a page for every failure.

It is installed as the module ``pytest_jacobians``, so that pytest can load it without importing NumPy or this library,
which happens when the fixture is used for the first time.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from jacobians.checking.report.report import Report

MARKER = "jacobians_slow"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("jacobians", "checks of Jacobians")
    group.addoption("--jacobians-html", metavar="DIR", help="write one page for every Jacobian that is not right")
    group.addoption("--jacobians-slow", action="store_true", help=f"also run tests marked {MARKER}")


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker."""
    config.addinivalue_line("markers", f"{MARKER}: a slow check of Jacobians, run with --jacobians-slow only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip slow checks unless they are asked for."""
    if config.getoption("--jacobians-slow"):
        return
    skip = pytest.mark.skip(reason="slow check of Jacobians: needs --jacobians-slow")
    for item in items:
        if item.get_closest_marker(MARKER):
            item.add_marker(skip)


class Checker:
    """`jacobians.check_jacobian` that fails the test with its report; `check`, `check_vjp`, … are its attributes."""

    def __init__(self, node: str, folder: str | None) -> None:
        self._node, self._folder, self._pages = node, folder, 0

    def __call__(self, *arguments: Any, **options: Any) -> Report:
        """Check a claimed Jacobian, as `jacobians.check_jacobian` does."""
        __tracebackhide__ = True
        return self._passed("check_jacobian", arguments, options)

    def check(self, *arguments: Any, **options: Any) -> Report:
        """Check a layer or a function, as `jacobians.check` does."""
        __tracebackhide__ = True
        return self._passed("check", arguments, options)

    def check_vjp(self, *arguments: Any, **options: Any) -> Report:
        """Check a backward pass, as `jacobians.check_vjp` does."""
        __tracebackhide__ = True
        return self._passed("check_vjp", arguments, options)

    def check_jvp(self, *arguments: Any, **options: Any) -> Report:
        """Check a forward pass, as `jacobians.check_jvp` does."""
        __tracebackhide__ = True
        return self._passed("check_jvp", arguments, options)

    def check_hessian(self, *arguments: Any, **options: Any) -> Report:
        """Check a Hessian, as `jacobians.check_hessian` does."""
        __tracebackhide__ = True
        return self._passed("check_hessian", arguments, options)

    def _passed(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Report:
        __tracebackhide__ = True
        import jacobians

        allowed = options.pop("allow_inconclusive", False)
        report: Report = getattr(jacobians, name)(*arguments, **options)
        if not report.ok and self._folder is not None:
            self._write(report)
        report.raise_if_wrong(allow_inconclusive=allowed)
        return report

    def _write(self, report: Report) -> None:
        from jacobians.checking.report.html import page

        folder = Path(self._folder or ".")
        folder.mkdir(parents=True, exist_ok=True)
        number = f"_{self._pages}" if self._pages else ""
        self._pages += 1
        name = re.sub(r"[^\w.-]+", "_", self._node).strip("_")
        text = page(report.findings, report.title or self._node, report.notes)
        (folder / f"{name}{number}.html").write_text(text, encoding="utf-8")


@pytest.fixture
def check_jacobian(request: pytest.FixtureRequest) -> Checker:
    """Check a claimed Jacobian; the failure prints the report."""
    return Checker(request.node.nodeid, request.config.getoption("--jacobians-html"))
