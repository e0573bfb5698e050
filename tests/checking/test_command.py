"""The command line: exit codes, arguments from files and typed in place."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from jacobians.checking.command import add_arguments, run

SOURCE = """
import numpy as np

def f(x):
    return np.tanh(x)

def right(x):
    return np.diag(1 - np.tanh(x) ** 2)

def wrong(x):
    return np.diag(1 - np.tanh(x))

def vjp(x, u):
    return u * (1 - np.tanh(x) ** 2)

def scaled(b, a):
    return a / b

def scaled_jacobian(b, a):
    return -a / b**2, 1 / b

def raising(x):
    raise KeyError("no such thing")
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(SOURCE)
    np.save(tmp_path / "x.npy", np.array([0.5, -1.0]))
    return tmp_path


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(list(words)))


def test_right_and_wrong(files: Path, capsys: pytest.CaptureFixture[str]):
    source, at = f"{files}/mine.py", f"{files}/x.npy"
    assert call(f"{source}:f", "--jacobian", f"{source}:right", "--at", at) == 0
    assert "right" in capsys.readouterr().out
    page = files / "out.html"
    assert call(f"{source}:f", "--jacobian", f"{source}:wrong", "--at", at, "--html", str(page)) == 1
    assert "1/(1 + f)" in capsys.readouterr().out
    assert "data:image/svg+xml" in page.read_text(encoding="utf-8")


def test_modules(files: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(files))
    assert call("mine:f", "--jacobian", "mine:right", "--at", f"{files}/x.npy") == 0


@pytest.mark.parametrize(
    ("function", "claimed", "at", "message"),
    [
        ("mine.py:f", "mine.py:right", "missing.npy", "cannot read"),
        ("mine.py:f", "mine.py:right", "mine.py", "not a NumPy file"),
        ("mine.py:g", "mine.py:right", "x.npy", "has no 'g'"),
        ("absent.py:f", "mine.py:right", "x.npy", "no file"),
        ("mine.py", "mine.py:right", "x.npy", "not of the form"),
        ("mine.py:f", None, "x.npy", "--jacobian, --vjp or --jvp is needed"),
    ],
)
def test_bad_input(
    files: Path, capsys: pytest.CaptureFixture[str], function: str, claimed: str | None, at: str, message: str
):
    words = [f"{files}/{function}", "--at", f"{files}/{at}"]
    if claimed:
        words += ["--jacobian", f"{files}/{claimed}"]
    assert call(*words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_passes_seed_and_json(files: Path, capsys: pytest.CaptureFixture[str]):
    source = f"{files}/mine.py"
    assert call(f"{source}:f", "--vjp", f"{source}:vjp", "--at", "[0.5, -1]", "--seed", "3", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"]
    assert report["jacobians"][0]["name"] == "vjp: ∂f/∂x"
    assert call(f"{source}:f", "--jacobian", f"{source}:right", "--at", "[0.5, -1.0]", "--atol", "1e-9") == 0


def test_arguments_have_the_names_in_the_file(files: Path):
    source, at = f"{files}/mine.py", str(files / "both.npz")
    np.savez(at, a=np.array(3.0), b=np.array(2.0))
    words = [f"{source}:scaled", "--jacobian", f"{source}:scaled_jacobian", "--at"]
    assert call(*words, at) == 0
    assert call(*words, "a=3.0", "b=2.0") == 0
    assert call(*words, "2.0", "a=3") == 0
    assert call(*words, "2.0", "3.0") == 0
    np.savez(at, a=np.array(3.0), c=np.array(2.0))
    assert call(*words, at) == 2


def test_a_function_that_raises_is_not_a_wrong_jacobian(files: Path, capsys: pytest.CaptureFixture[str]):
    source = f"{files}/mine.py"
    assert call(f"{source}:raising", "--jacobian", f"{source}:right", "--at", "[0.5]") == 3
    error = capsys.readouterr().err
    assert "raises KeyError at x" in error
    assert error.count("\n") == 1
    assert call(f"{source}:f", "--jacobian", f"{source}:raising", "--at", "[0.5]") == 3
    assert call(f"{source}:f", "--jacobian", f"{source}:right", "--at", "[0.5") == 2
