"""Every layer's forward once more, in PyTorch and from its own functions where it has them, for test_torch.py.

A row takes the layer (for its options), then its inputs and parameters by name.
"""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is optional")
F = torch.nn.functional


def symmetric(x, triangle=""):
    if triangle:
        x = x if triangle == "lower" else x.mT
        return torch.tril(x) + torch.tril(x, -1).mT
    return (x + x.mT) / 2


def chosen(o, values):
    return values if o.which is None else values[..., list(o.which)]


def signed(o, x, vectors):
    """Columns with the signs that NumPy gives them."""
    theirs = torch.as_tensor(np.array(o.forward(x.detach().numpy())))
    return vectors * torch.sign((theirs * vectors.detach()).sum(-2, keepdim=True))


def eigenvectors(x):
    """As NumPy, of real eigenvalues, in their order."""
    values, vectors = torch.linalg.eig(x)
    order = torch.cdist(torch.as_tensor(np.linalg.eigvals(x.detach().numpy()))[..., None], values.real[..., None])
    order = order.argmin(-1)
    return values.real.gather(-1, order), vectors.real.gather(-1, order[..., None, :].expand(x.shape))


def norm(o, x):
    axes = axes_of(o, x)
    z = (x.abs() ** o.p).sum(axes, keepdim=True) ** (1 / o.p) if axes else x.abs()
    return z if o.keepdims else z.sum(axes) if axes else z


def goal(o):
    return torch.as_tensor(np.array(o.target), dtype=torch.float64)


def both(option):
    return (option, option) if isinstance(option, int) else tuple(option)


def convolved(o, x, y):
    full = F.conv1d(x[None, None], y.flip(0)[None, None], padding=len(y) - 1)[0, 0]
    less = min(len(x), len(y)) - 1
    first, count = {
        "full": (0, len(full)),
        "same": (less // 2, max(len(x), len(y))),
        "valid": (less, len(full) - 2 * less),
    }[o.mode]
    return full[first : first + count]


def batched(function, x, axes):
    """With the axes in front made one, and back."""
    lead = x.shape[: x.ndim - axes]
    z = function(x.reshape(-1, *x.shape[x.ndim - axes :]))
    return z.reshape(*lead, *z.shape[1:])


def axes_of(o, x):
    return tuple(range(x.ndim)) if o.axis is None else (o.axis,) if isinstance(o.axis, int) else o.axis


def product(o, x):
    for k in sorted((k % x.ndim for k in axes_of(o, x)), reverse=True):
        x = x.prod(k, keepdim=True)
    return x if o.keepdims else x.squeeze(axes_of(o, x))


def plain(value):
    return list(value) if isinstance(value, tuple) else value


def kron(x, y):
    n = max(x.ndim, y.ndim)
    x, y = x.reshape((1,) * (n - x.ndim) + x.shape), y.reshape((1,) * (n - y.ndim) + y.shape)
    return torch.kron(x.contiguous(), y.contiguous())


def dot(x, y):
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    return torch.tensordot(x, y, ([x.ndim - 1], [max(0, y.ndim - 2)]))


def reshape(o, x):
    return x.reshape(o.shape if not isinstance(o.shape, int) else (o.shape,))


def take(o, x):
    n = torch.as_tensor(np.array(o.indices))
    if o.axis is None:
        return x.reshape(-1)[n]
    n = n % x.shape[o.axis]
    lead, behind = x.shape[: o.axis % x.ndim], x.shape[o.axis % x.ndim + 1 :]
    return torch.index_select(x, o.axis, n.reshape(-1)).reshape(*lead, *n.shape, *behind)


def pad(o, x):
    widths = np.broadcast_to(o.width, (x.ndim, 2))
    return F.pad(x, [int(n) for pair in widths[::-1] for n in pair])


def self_attention(o, x, Wq, Wk, Wv, Wo):
    q, k, v = (torch.stack((x @ W.mT).chunk(o.heads, -1), -3) for W in (Wq, Wk, Wv))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=o.causal)
    return torch.cat(y.unbind(-3), -1) @ Wo.mT


def cell(function, size):
    """A cell of torch.nn.functional, which takes one batch axis."""

    def call(o, x, h, *rest):
        return function(x.reshape(-1, x.shape[-1]), h.reshape(-1, h.shape[-1]), *rest).reshape(
            *x.shape[:-1], size * h.shape[-1]
        )

    return call


def lstm(x, h, c, Wx, Wh, b):
    return torch.cat(torch.lstm_cell(x, (h, c), Wx, Wh, b, torch.zeros_like(b)), -1)


def logits(o, x):
    t = torch.as_tensor(np.array(o.target))
    rows = x.reshape(-1, x.shape[-1])
    t = t.reshape(-1) if t.ndim < x.ndim else t.reshape(-1, x.shape[-1]).double()
    z = F.cross_entropy(rows, t, reduction=o.reduction)
    return z.reshape(x.shape[:-1]) if o.reduction == "none" else z


def nll(o, x):
    t = torch.as_tensor(np.array(o.target))
    if t.ndim == x.ndim:
        return -(t * x).sum()
    return F.nll_loss(x.reshape(-1, x.shape[-1]), t.reshape(-1), reduction="sum")


def gauss(o, x, mean, covariance):
    return torch.distributions.MultivariateNormal(mean, symmetric(covariance), validate_args=False).log_prob(x)


def rearranged(o, x):
    n = torch.as_tensor(np.array(o.positions))
    return torch.where(n < 0, torch.zeros((), dtype=x.dtype), x.reshape(-1)[n.clamp(min=0)])


def assembled(o, z, pieces):
    z = z.clone()
    for place, piece in zip(o.places, pieces, strict=True):
        if isinstance(place, np.ndarray):  # flat positions, of which the last counts
            z = z.reshape(-1)
            for n, one in zip(place.reshape(-1), piece.reshape(-1), strict=True):
                z = torch.where(torch.arange(z.numel()) == int(n), one, z)
            z = z.reshape(o.shape)
        else:
            key = tuple(k if isinstance(k, int | slice) else slice(k[0], k[0] + k[1] * k[2], k[1]) for k in place)
            z[key] = piece
    return z


FORWARD = {
    "Affine": lambda o, x, A, b: F.linear(x, A, b),
    "Linear": lambda o, x, A: F.linear(x, A),
    "Polynomial": lambda o, x, theta: sum(theta[k] * x**k for k in range(len(theta))),
    "Embedding": lambda o, x, E: F.embedding(x, E),
    "Power": lambda o, x: x**o.exponent,
    "Clip": lambda o, x: x.clamp(o.low, o.high),
    "Softplus": lambda o, x: F.softplus(x, beta=o.beta),
    "LeakyReLU": lambda o, x: F.leaky_relu(x, o.slope),
    "PReLU": lambda o, x, slope: torch.where(x > 0, x, slope * x),
    "ELU": lambda o, x: F.elu(x, o.alpha),
    "CELU": lambda o, x: torch.where(x > 0, x, o.alpha * torch.expm1(x / o.alpha)),  # F.celu has a constant in float32
    "GELU": lambda o, x: F.gelu(x, approximate="tanh" if o.approximate else "none"),
    "MatMul": lambda o, x, y: x @ y,
    "SparseMatMul": lambda o, x, a: torch.tensordot(
        torch.zeros(o.shape, dtype=x.dtype).index_put(tuple(torch.as_tensor(np.array(n)) for n in (o.r, o.c)), a, True),
        x,
        1,
    ),
    "Dot": lambda o, x, y: dot(x, y),
    "Outer": lambda o, x, y: torch.outer(x, y),
    "Kronecker": lambda o, x, y: kron(x, y),
    "QuadraticForm": lambda o, x, A: ((x @ A) * x).sum(-1),
    "Einsum": lambda o, **x: torch.einsum(o.subscripts, *x.values()),
    "Sum": lambda o, x: x.sum(axes_of(o, x), keepdim=o.keepdims) if x.ndim else x,
    "Mean": lambda o, x: x.mean(axes_of(o, x), keepdim=o.keepdims) if x.ndim else x,
    "Product": product,
    "Variance": lambda o, x: x.var(axes_of(o, x), correction=0, keepdim=o.keepdims) if x.ndim else x * 0,
    "StandardDeviation": lambda o, x: x.std(axes_of(o, x), correction=0, keepdim=o.keepdims) if x.ndim else x * 0,
    "Max": lambda o, x: torch.amax(x, axes_of(o, x), keepdim=o.keepdims) if x.ndim else x,
    "Min": lambda o, x: torch.amin(x, axes_of(o, x), keepdim=o.keepdims) if x.ndim else x,
    "LogSumExp": lambda o, x: torch.logsumexp(x, axes_of(o, x), keepdim=o.keepdims) if x.ndim else x,
    "Norm": norm,
    "CumulativeProduct": lambda o, x: torch.cumprod(x, o.axis),
    "CumulativeSum": lambda o, x: torch.cumsum(x, o.axis),
    "Reshape": reshape,
    "Transpose": lambda o, x: x.permute(o.axes if o.axes is not None else tuple(range(x.ndim))[::-1]),
    "Take": take,
    "Rearrange": rearranged,
    "Scatter": lambda o, x: (
        torch.zeros(math.prod(o.shape), dtype=x.dtype)
        .index_put((torch.as_tensor(np.array(o.positions)).reshape(-1),), x.reshape(-1), accumulate=True)
        .reshape(o.shape)
    ),
    "Where": lambda o, x, y: torch.where(torch.as_tensor(np.array(o.condition)), x, y),
    "Convolve": convolved,
    "Assemble": lambda o, **x: assembled(o, torch.zeros(o.shape, dtype=x["x0"].dtype), x.values()),
    "Replace": lambda o, x, **pieces: assembled(o, x, pieces.values()),
    "Concatenate": lambda o, x, y: torch.cat([x, y], o.axis),
    "BroadcastTo": lambda o, x: x.broadcast_to(o.shape if not isinstance(o.shape, int) else (o.shape,)),
    "Flip": lambda o, x: torch.flip(x, axes_of(o, x)),
    "Pad": pad,
    "Diagonal": lambda o, x: x.diagonal(dim1=-2, dim2=-1),
    "DiagonalMatrix": lambda o, x: torch.diag_embed(x),
    "Softmax": lambda o, x: F.softmax(x, o.axis),
    "LogSoftmax": lambda o, x: F.log_softmax(x, o.axis),
    "LayerNorm": lambda o, x, gamma, beta: F.layer_norm(x, x.shape[-1:], gamma, beta, o.eps),
    "RMSNorm": lambda o, x, gamma: F.rms_norm(x, x.shape[-1:], gamma, o.eps),
    "BatchNorm": lambda o, x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, True, 0.1, o.eps),
    "GroupNorm": lambda o, x, gamma, beta: F.group_norm(x, o.groups, gamma, beta, o.eps),
    "Conv1d": lambda o, x, W, b: batched(lambda y: F.conv1d(y, W, b, o.stride, o.padding, o.dilation, o.groups), x, 2),
    "Conv2d": lambda o, x, W, b: batched(
        lambda y: F.conv2d(y, W, b, plain(o.stride), plain(o.padding), plain(o.dilation), o.groups), x, 3
    ),
    "ConvTranspose2d": lambda o, x, W, b: batched(
        lambda y: F.conv_transpose2d(y, W, b, plain(o.stride), plain(o.padding)), x, 3
    ),
    "MaxPool2d": lambda o, x: batched(lambda y: F.max_pool2d(y, both(o.size), both(o.stride or o.size)), x, 2),
    "AvgPool2d": lambda o, x: batched(
        lambda y: F.avg_pool2d(y[:, None], both(o.size), both(o.stride or o.size))[:, 0], x, 2
    ),
    "ScaledDotProductAttention": lambda o, q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=o.causal),
    "SelfAttention": self_attention,
    "RNNCell": lambda o, x, h, Wx, Wh, b: cell(torch.rnn_tanh_cell, 1)(o, x, h, Wx, Wh, b, torch.zeros_like(b)),
    "LSTMCell": lambda o, x, h, c, Wx, Wh, b: cell(lstm, 2)(o, x, h, c.reshape(-1, c.shape[-1]), Wx, Wh, b),
    "GRUCell": lambda o, x, h, Wx, Wh, bx, bh: cell(torch.gru_cell, 1)(o, x, h, Wx, Wh, bx, bh),
    "SquaredError": lambda o, x: o.scale * F.mse_loss(x, goal(o), reduction="sum"),
    "MeanSquaredError": lambda o, x: F.mse_loss(x, goal(o)),
    "AbsoluteError": lambda o, x: F.l1_loss(x, goal(o), reduction="sum"),
    "Huber": lambda o, x: F.huber_loss(x, goal(o), reduction="sum", delta=o.delta),
    "Hinge": lambda o, x: F.relu(1 - goal(o) * x).sum(),
    "SoftmaxCrossEntropy": logits,
    "NegativeLogLikelihood": nll,
    "BinaryCrossEntropy": lambda o, x: F.binary_cross_entropy(x, goal(o), reduction="sum"),
    "BinaryCrossEntropyWithLogits": lambda o, x: F.binary_cross_entropy_with_logits(x, goal(o), reduction="sum"),
    "CrossEntropy": lambda o, p, q: -(p * q.log()).sum(-1),
    "KLDivergence": lambda o, p, q: F.kl_div(q.log(), p, reduction="none").sum(-1),
    "ShannonEntropy": lambda o, p: torch.special.entr(p).sum(-1),
    "BayesPosterior": lambda o, prior, likelihood: F.normalize(prior * likelihood, p=1, dim=-1),
    "GaussianLogDensity": gauss,
    "Inverse": lambda o, x: torch.linalg.inv(x),
    "PseudoInverse": lambda o, x: torch.linalg.pinv(x),
    "Determinant": lambda o, x: torch.linalg.det(x),
    "LogDet": lambda o, x: torch.linalg.slogdet(x)[1],
    "Trace": lambda o, x: x.diagonal(dim1=-2, dim2=-1).sum(-1),
    "Solve": lambda o, A, b: torch.linalg.inv(A) @ b,
    "MatrixPower": lambda o, x: torch.linalg.matrix_power(x, o.n),
    "MatrixExponential": lambda o, x: torch.linalg.matrix_exp(x),
    "SingularValues": lambda o, x: chosen(o, torch.linalg.svdvals(x)),
    "NuclearNorm": lambda o, x: torch.linalg.matrix_norm(x, "nuc"),
    "SymmetricEigenvalues": lambda o, x: chosen(o, torch.linalg.eigvalsh(symmetric(x, o.triangle))),
    "Cholesky": lambda o, x: torch.linalg.cholesky(symmetric(x, o.triangle)),
    "SymmetricEigenvectors": lambda o, x: signed(o, x, chosen(o, torch.linalg.eigh(symmetric(x, o.triangle))[1])),
    "LeftSingularVectors": lambda o, x: signed(o, x, chosen(o, torch.linalg.svd(x, full_matrices=False)[0])),
    "Eigenvalues": lambda o, x: eigenvectors(x)[0],
    "Eigenvectors": lambda o, x: signed(o, x, eigenvectors(x)[1]),
    "OrthogonalFactor": lambda o, x: signed(o, x, torch.linalg.qr(x)[0]),
    "TriangularFactor": lambda o, x: torch.linalg.qr(x)[1],
    "PolynomialValue": lambda o, p, x: sum(c * x**d for d, c in enumerate(p.flip(0))),
    "LeastSquares": lambda o, A, b: torch.linalg.pinv(A) @ b,
}

ENTRYWISE = {
    "Identity": lambda x: x * 1,
    "Negative": torch.neg,
    "Exp": torch.exp,
    "Expm1": torch.expm1,
    "Log": torch.log,
    "Log1p": torch.log1p,
    "Sqrt": torch.sqrt,
    "Square": torch.square,
    "Reciprocal": torch.reciprocal,
    "Abs": torch.abs,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Tan": torch.tan,
    "Sinh": torch.sinh,
    "Cosh": torch.cosh,
    "Tanh": torch.tanh,
    "Arctan": torch.arctan,
    "Arcsinh": torch.arcsinh,
    "Arcsin": torch.arcsin,
    "Arccos": torch.arccos,
    "Arccosh": torch.arccosh,
    "Arctanh": torch.arctanh,
    "Cbrt": lambda x: x.abs() ** (1 / 3) * x.sign(),
    "Exp2": torch.exp2,
    "Log2": torch.log2,
    "Log10": torch.log10,
    "Sinc": torch.sinc,
    "Erf": torch.erf,
    "Sigmoid": torch.sigmoid,
    "LogSigmoid": F.logsigmoid,
    "ReLU": F.relu,
    "ReLU6": F.relu6,
    "SELU": F.selu,
    "SiLU": F.silu,
    "Mish": F.mish,
    "Softsign": F.softsign,
    "HardTanh": F.hardtanh,
    "HardSigmoid": lambda x: (x + 3).clamp(0, 6) / 6,
    "HardSwish": F.hardswish,
    "TanhShrink": F.tanhshrink,
    "Add": torch.add,
    "Subtract": torch.sub,
    "Multiply": torch.mul,
    "Divide": torch.div,
    "Pow": torch.pow,
    "Maximum": torch.maximum,
    "Minimum": torch.minimum,
    "Hypot": torch.hypot,
    "Arctan2": torch.arctan2,
    "LogAddExp": torch.logaddexp,
}
FORWARD |= {name: lambda o, f=f, **x: f(*x.values()) for name, f in ENTRYWISE.items()}
"""Rows that are functions of arrays alone."""


def jacobians(layer, inputs):
    """The output and ∂output/∂argument for every argument, one row of backpropagation at a time."""
    arguments = dict(zip(layer.input_names, inputs, strict=True)) | layer.parameters
    tensors = {n: torch.tensor(v, requires_grad=n not in layer.integers) for n, v in arguments.items()}
    output = FORWARD[type(layer).__name__](layer, **tensors)
    wanted = [n for n in tensors if n not in layer.integers]
    found = {n: np.zeros((*output.shape, *tensors[n].shape)) for n in wanted}
    for index in np.ndindex(*output.shape):
        if not output.requires_grad:
            break
        rows = torch.autograd.grad(output[index], [tensors[n] for n in wanted], retain_graph=True, allow_unused=True)
        for n, row in zip(wanted, rows, strict=True):
            if row is not None:
                found[n][index] = row.numpy()
    assert math.prod(output.shape) == output.numel()
    return output.detach().numpy(), found
