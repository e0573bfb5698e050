"""The pytest plugin, run by pytest."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import numpy as np
import pytest

x = np.array([0.5, -1.0])


def test_right(check_jacobian):
    check_jacobian(np.tanh, x, np.diag(1 - np.tanh(x) ** 2))
    check_jacobian.check_vjp(np.tanh, x, lambda x, u: u * (1 - np.tanh(x) ** 2))


def test_wrong(check_jacobian):
    check_jacobian(np.tanh, x, np.diag(1 - np.tanh(x)))


def test_cannot_tell(check_jacobian):
    check_jacobian(np.sign, 0.0, 0.0, allow_inconclusive=True)


@pytest.mark.jacobians_slow
def test_slow(check_jacobian):
    check_jacobian(np.sin, x, np.diag(np.cos(x)))
"""


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    pytester.makepyfile(TESTS)
    installed = any(one.name == "jacobians" for one in entry_points(group="pytest11"))
    own = [] if installed else ["-p", "jacobians.checking.plugin"]
    return pytester.runpytest_inprocess(*own, "-p", "no:xdist", "-p", "no:cacheprovider", "--strict-markers", *options)


def test_the_failure_prints_the_report_and_has_a_page(pytester: pytest.Pytester):
    result = run(pytester, "--jacobians-html=pages")
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*✗  ∂f/∂x  2 × 2  wrong*", "*J ≈ D times 1/(1 + f)*"])
    assert "plugin.py" not in result.stdout.str()
    pages = {path.name: path.read_text(encoding="utf-8") for path in Path("pages").iterdir()}
    assert len(pages) == 2  # the wrong one, and the one that cannot be told
    (wrong,) = (text for name, text in pages.items() if "test_wrong" in name)
    assert "data:image/svg+xml" in wrong


def test_slow_ones_when_asked_for(pytester: pytest.Pytester):
    run(pytester, "--jacobians-slow", "-m", "jacobians_slow").assert_outcomes(passed=1, deselected=3)


def test_loading_it_imports_neither_numpy_nor_the_library():
    from jacobians.checking import plugin

    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('pytest_jacobians', {plugin.__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "print('numpy' in sys.modules, 'jacobians' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]
