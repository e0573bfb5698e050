"""``python -m jacobians``: what it prints, what it writes, how it fails."""

from __future__ import annotations

import numpy as np
import pytest

from jacobians import NN
from jacobians.__main__ import main


def run(capsys, *arguments):
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_lecture_network(capsys):
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    assert "3 × (3×2)" in out
    assert "il,ljk->ijk" in out
    assert "∂f_i/∂A_jk = δ_ij (1-f²)_i x_k" in out
    assert "33%" in out
    assert out.count("right") >= 7


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sizes", "4,3,2"],
        ["--sizes", "3,2", "--activation", "sigmoid", "--batch", "2"],
        ["--sizes", "2,2", "--activation", "relu", "--seed", "3"],
        ["--sizes", "3,4", "--activation", "softmax", "--wrt", "x"],
        ["--activation", "identity", "--wrt", "0.b"],
    ],
)
def test_other_networks_agree(capsys, arguments):
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert "einsum" in out or "Contracted" in out


def test_weights_input_and_save(capsys, tmp_path):
    rng = np.random.default_rng(0)
    A, b, x = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=2)
    np.savez(tmp_path / "net.npz", A0=A, b0=b)
    np.save(tmp_path / "x.npy", x)
    code, _, _ = run(capsys, "--weights", str(tmp_path / "net.npz"), "--input", str(tmp_path / "x.npy"),
                     "--save", str(tmp_path / "out.npz"))  # fmt: skip
    assert code == 0
    f, dfdA, dfdb, dfdx = NN(x, A, b)
    with np.load(tmp_path / "out.npz") as saved:
        for name, expected in (("f", f), ("0.A", dfdA), ("0.b", dfdb), ("x", dfdx)):
            np.testing.assert_allclose(saved[name], expected, rtol=1e-14)


def test_bad_input_is_one_line_and_exit_code_2(capsys, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "net.npz", A0=rng.normal(size=(3, 2)), b0=np.zeros(3))
    np.savez(tmp_path / "odd.npz", A0=np.ones((3, 2)), c=np.zeros(3))
    np.savez(tmp_path / "unfit.npz", A0=np.ones((3, 2)), b0=np.zeros(4))
    np.savez(tmp_path / "chain.npz", A0=np.ones((3, 2)), b0=np.zeros(3), A1=np.ones((2, 2)), b1=np.zeros(2))
    np.save(tmp_path / "x.npy", np.ones(5))
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    (tmp_path / "broken.npz").write_bytes(b"no zip")
    cases = [
        (["--weights", str(tmp_path / "none.npz")], "none.npz"),
        (["--weights", str(tmp_path / "broken.npz")], "broken.npz"),
        (["--weights", str(tmp_path / "x.npy")], "one array"),
        (["--weights", str(tmp_path / "odd.npz")], "must hold A0, b0"),
        (["--weights", str(tmp_path / "unfit.npz")], "the last axis of b must be 3"),
        (["--weights", str(tmp_path / "chain.npz")], "in layer 2"),
        (["--weights", str(tmp_path / "net.npz"), "--input", str(tmp_path / "x.npy")], "x is (5,)"),
        (["--input", str(tmp_path / "net.npz")], "several arrays"),
        (["--input", str(tmp_path / "text.npy")], "must hold numbers"),
        (["--sizes", "3"], "--sizes"),
        (["--sizes", "3,0"], "--sizes"),
        (["--sizes", "2,3", "--weights", str(tmp_path / "net.npz")], "exclude each other"),
        (["--batch", "0"], "--batch"),
        (["--wrt", "7.A"], "7.A"),
        (["--save", str(tmp_path / "no" / "out.npz")], "cannot write"),
        (["layers", "Nonsense"], "Nonsense"),
    ]
    for arguments, words in cases:
        code, _, err = run(capsys, *arguments)
        assert code == 2, arguments
        assert err.count("\n") == 1, err
        assert err.startswith("jacobians: "), err
        assert words in err, err
    assert run(capsys, "--activation", "magic")[0] == 2
