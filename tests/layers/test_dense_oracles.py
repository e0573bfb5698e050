"""Jacobians written out by loops, entry by entry, from each layer's definition: nothing of the library but the layer.

Each oracle fills a tensor of zeros with the derivative of the formula; deltas and index maps become plain loops.
"""

from itertools import product

import numpy as np
import pytest

import jacobians.layers as L

rng = np.random.default_rng(3)


def a(*shape):
    return rng.normal(size=shape)


def grid(*sizes):
    return product(*(range(n) for n in sizes))


def assert_equal(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_affine_with_batch():
    A, b, x = a(3, 2), a(3), a(4, 2)
    found = L.Affine(A, b).jacobians(x)
    dx, dA, db = np.zeros((4, 3, 4, 2)), np.zeros((4, 3, 3, 2)), np.zeros((4, 3, 3))
    for n, i, k in grid(4, 3, 2):
        dx[n, i, n, k], dA[n, i, i, k], db[n, i, i] = A[i, k], x[n, k], 1
    assert_equal(found["x"], dx)
    assert_equal(found["A"], dA)
    assert_equal(found["b"], db)


def test_embedding_counts_a_row_twice():
    found = L.Embedding(a(4, 2)).jacobians([3, 0, 3])["E"]
    expected = np.zeros((3, 2, 4, 2))
    for n, v in enumerate((3, 0, 3)):
        for d in range(2):
            expected[n, d, v, d] = 1
    assert_equal(found, expected)


def test_kronecker():
    x, y = a(2, 3), a(3, 2)
    found = L.Kronecker().jacobians(x, y)
    dx, dy = np.zeros((6, 6, 2, 3)), np.zeros((6, 6, 3, 2))
    for i, j, k, m in grid(2, 3, 3, 2):
        dx[3 * i + k, 2 * j + m, i, j], dy[3 * i + k, 2 * j + m, k, m] = y[k, m], x[i, j]
    assert_equal(found["x"], dx)
    assert_equal(found["y"], dy)


def test_softmax_along_the_first_axis():
    x = a(3, 2)
    p = np.exp(x) / np.exp(x).sum(0)
    expected = np.zeros((3, 2, 3, 2))
    for i, j, b in grid(3, 3, 2):
        expected[i, b, j, b] = p[i, b] * ((i == j) - p[j, b])
    assert_equal(L.Softmax(axis=0).jacobians(x)["x"], expected)


def test_layer_norm():
    gamma, x, eps = a(4), a(2, 4), 0.01
    expected = np.zeros((2, 4, 2, 4))
    for t in range(2):
        mean, variance = x[t].sum() / 4, ((x[t] - x[t].sum() / 4) ** 2).sum() / 4
        s = (variance + eps) ** 0.5
        for i, j in grid(4, 4):
            # the quotient rule: d((x_i - mean) / s)
            ds = 2 * (x[t, j] - mean) / 4 / (2 * s)
            expected[t, i, t, j] = gamma[i] * (((i == j) - 1 / 4) * s - (x[t, i] - mean) * ds) / s**2
    assert_equal(L.LayerNorm(gamma, a(4), eps).jacobians(x)["x"], expected)


@pytest.mark.parametrize("groups", [1, 2])
def test_convolution(groups):
    W, x = a(4, 4 // groups, 2, 3), a(4, 5, 6)
    (s, t), (p, q), (d, e) = (2, 1), (1, 2), (1, 2)
    layer = L.Conv2d(W, a(4), stride=(s, t), padding=(p, q), dilation=(d, e), groups=groups)
    found, (O, Y, X) = layer.jacobians(x), layer(x).shape
    dx, dW = np.zeros((O, Y, X, *x.shape)), np.zeros((O, Y, X, *W.shape))
    for o, y, z, c, u, v in grid(O, Y, X, *W.shape[1:]):
        channel = (o // (O // groups)) * W.shape[1] + c
        i, j = s * y + d * u - p, t * z + e * v - q
        if 0 <= i < 5 and 0 <= j < 6:
            dx[o, y, z, channel, i, j] += W[o, c, u, v]
            dW[o, y, z, o, c, u, v] += x[channel, i, j]
    assert_equal(found["x"], dx)
    assert_equal(found["W"], dW)
    assert_equal(found["b"], np.einsum("ab,yx->ayxb", np.eye(4), np.ones((Y, X))))


def test_transposed_convolution_is_the_transpose_of_the_convolution():
    W = a(3, 2, 2, 3)
    options = {"stride": 2, "padding": 1}
    convolution, x = L.Conv2d(W, np.zeros(3), **options), a(2, 6, 5)
    z = convolution(x)
    J = convolution.jacobians(x)["x"]
    back = L.ConvTranspose2d(W, np.zeros(2), **options)
    assert back(z).shape == x.shape
    assert_equal(back.jacobians(z)["x"], J.transpose(3, 4, 5, 0, 1, 2))


def test_pooling():
    x = a(2, 5, 6)
    top, mean = (layer((2, 3), stride=(2, 1)).jacobians(x)["x"] for layer in (L.MaxPool2d, L.AvgPool2d))
    expected_top, expected_mean = np.zeros((2, 2, 4, 2, 5, 6)), np.zeros((2, 2, 4, 2, 5, 6))
    for c, i, j in grid(2, 2, 4):
        window = {(2 * i + u, j + v): x[c, 2 * i + u, j + v] for u, v in grid(2, 3)}
        expected_top[(c, i, j, c, *max(window, key=window.get))] = 1
        for place in window:
            expected_mean[(c, i, j, c, *place)] = 1 / 6
    assert_equal(top, expected_top)
    assert_equal(mean, expected_mean)


def test_attention():
    q, k, v = a(3, 2), a(4, 2), a(4, 2)
    s = q @ k.T / 2**0.5
    A = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    dq, dk, dv = np.zeros((3, 2, 3, 2)), np.zeros((3, 2, 4, 2)), np.zeros((3, 2, 4, 2))
    for t, e, w in grid(3, 2, 4):
        dv[t, e, w, e] = A[t, w]
        for z in range(4):
            dA = A[t, z] * ((w == z) - A[t, w])  # ∂A_tz/∂s_tw
            for d in range(2):
                dq[t, e, t, d] += dA * v[z, e] * k[w, d] / 2**0.5
                dk[t, e, w, d] += dA * v[z, e] * q[t, d] / 2**0.5
    found = L.ScaledDotProductAttention().jacobians(q, k, v)
    for name, expected in (("q", dq), ("k", dk), ("v", dv)):
        assert_equal(found[name], expected)


def test_max_over_two_axes():
    x = a(2, 3, 4)
    expected = np.zeros((3, 2, 3, 4))
    for b in range(3):
        i, j = max(grid(2, 4), key=lambda at, b=b: x[at[0], b, at[1]])
        expected[b, i, b, j] = 1
    assert_equal(L.Max(axis=(0, 2)).jacobians(x)["x"], expected)


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_product_with_zeros(zeros):
    x = a(4)
    x[:zeros] = 0
    expected = [np.prod([x[j] for j in range(4) if j != i]) for i in range(4)]
    assert_equal(L.Product().jacobians(x)["x"], expected)


def test_inverse_by_cofactors():
    x = a(2, 2)
    (p, q), (r, s) = x
    d = p * s - q * r
    adjugate, gradient = np.array([[s, -q], [-r, p]]), np.array([[s, -r], [-q, p]])
    expected = np.zeros((2, 2, 2, 2))
    place = {(0, 0): ((1, 1), 1), (0, 1): ((0, 1), -1), (1, 0): ((1, 0), -1), (1, 1): ((0, 0), 1)}
    for k, m in grid(2, 2):
        (i, j), sign = place[k, m]
        expected[i, j, k, m] += sign / d
        expected[:, :, k, m] -= adjugate * gradient[k, m] / d**2
    assert_equal(L.Inverse().jacobians(x)["x"], expected)
    assert_equal(L.Determinant().jacobians(x)["x"], gradient)


@pytest.mark.parametrize(
    "x", [np.zeros((3, 3)), np.diag([1.0, 0.0, 0.0]), np.outer([1.0, 2, 3], [2.0, 1, 1]) + np.diag([1.0, 0, 0])]
)
def test_determinant_of_a_singular_matrix(x):
    expected = np.zeros((3, 3))
    for i, j in grid(3, 3):
        minor = np.delete(np.delete(x, i, 0), j, 1)
        expected[i, j] = (-1) ** (i + j) * (minor[0, 0] * minor[1, 1] - minor[0, 1] * minor[1, 0])
    np.testing.assert_allclose(L.Determinant().jacobians(x)["x"], expected, atol=1e-13)


@pytest.mark.parametrize("scale", [1e-9, 0.1, 1, 5, 30])
def test_matrix_exponential_against_the_block_matrix(scale):
    """exp of [[X, E], [0, X]] has the derivative along E in its corner (Van Loan); scipy's exponential."""
    linalg = pytest.importorskip("scipy.linalg", reason="SciPy is optional")
    X = scale * a(3, 3)
    found = L.MatrixExponential().jacobians(X)["x"]
    np.testing.assert_allclose(
        L.MatrixExponential()(X), linalg.expm(X), rtol=1e-11, atol=1e-13 * np.abs(linalg.expm(X)).max()
    )
    for k, m in grid(3, 3):
        E = np.zeros((3, 3))
        E[k, m] = 1
        corner = linalg.expm(np.block([[X, E], [np.zeros((3, 3)), X]]))[:3, 3:]
        np.testing.assert_allclose(found[:, :, k, m], corner, rtol=1e-9, atol=1e-11 * np.abs(found).max())


def test_matrix_exponential_of_a_nilpotent_matrix_and_of_large_multiples_of_one():
    N = np.array([[0.0, 50.0, 3.0], [0, 0, 20.0], [0, 0, 0]])
    np.testing.assert_allclose(L.MatrixExponential()(N), np.eye(3) + N + N @ N / 2, rtol=1e-12)
    J = L.MatrixExponential().jacobians(-40 * np.eye(2))["x"]
    np.testing.assert_allclose(J, np.exp(-40) * np.einsum("ik,jl->ijkl", np.eye(2), np.eye(2)), rtol=1e-10)


@pytest.mark.parametrize("size", [50.0, 1e3, 1e5])
def test_matrix_exponential_of_a_stiff_matrix(size):
    """The derivative of a symmetric X = V w Vᵀ by divided differences: v_i · dY v_j = φ_ij v_i · dX v_j."""
    V, _ = np.linalg.qr(a(4, 4))
    w = np.array([0.3, -0.1 * size, -0.7 * size, -size])
    X = V @ np.diag(w) @ V.T
    phi = np.where(np.eye(4), np.exp(w), (np.exp(w[:, None]) - np.exp(w)) / (w[:, None] - w + np.eye(4)))
    expected = np.einsum("ip,kp,pq,jq,lq->ijkl", V, V, phi, V, V)
    stack = np.stack([X, X / size])
    J = L.MatrixExponential().linearize(stack)[1]["x"].per_example(1)
    np.testing.assert_allclose(J[0], expected, atol=1e-14 * size)
    np.testing.assert_allclose(L.MatrixExponential().jacobians(X)["x"], expected, atol=1e-14 * size)
    assert np.isnan(L.MatrixExponential().jacobians(np.full((2, 2), np.nan))["x"]).all()


def test_cholesky_of_two_by_two():
    """L = [[√a, 0], [b/√a, √(c − b²/a)]] of [[a, b], [b, c]]."""
    p, q, r = 2.0, 0.7, 1.5
    J = L.Cholesky().jacobians([[p, q], [q, r]])["x"]
    d = (r - q * q / p) ** 0.5
    da = np.array([[0.5 / p**0.5, 0], [-0.5 * q / p**1.5, q * q / p**2 / (2 * d)]])
    db = np.array([[0, 0], [1 / p**0.5, -q / p / d]])
    dc = np.array([[0, 0], [0, 1 / (2 * d)]])
    assert_equal(J[:, :, 0, 0], da)
    assert_equal(J[:, :, 0, 1], db / 2)
    assert_equal(J[:, :, 1, 0], db / 2)
    assert_equal(J[:, :, 1, 1], dc)


def test_equal_eigenvalues_and_singular_values_sum_up():
    for layer in (L.SymmetricEigenvalues(), L.SingularValues()):
        J = layer.jacobians(np.eye(3))["x"]
        np.testing.assert_allclose(J.sum(axis=0), np.eye(3), atol=1e-12)


def test_shape_layers_move_entries():
    x = a(2, 3, 4)
    place = np.arange(24).reshape(2, 3, 4)
    for layer in (
        L.Transpose((2, 0, 1)),
        L.Flip((0, 2)),
        L.Take([2, 0], 1),
        L.Reshape((4, 6)),
        L.Reshape((3, 2, 4)),
        L.Diagonal(),
    ):
        moved = layer(place).astype(int)
        expected = np.zeros((*moved.shape, 24))
        for index, n in np.ndenumerate(moved):
            expected[(*index, n)] = 1
        J = layer.linearize(x)[1]["x"]
        assert_equal(J.full().reshape(expected.shape), expected)
        assert J.nbytes <= 8 * 5 * 24, "no 0/1 matrix is held"
        assert J.nonzeros == moved.size
