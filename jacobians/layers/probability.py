"""Probability: entropies, Bayes' theorem and the Gaussian density. Index legend: i j k outcomes or axes; ... batch.

Distributions are along the last axis, logarithms are natural, and 0 log 0 = 0. No layer asks that a distribution sums
to 1: each is a function of any positive numbers, and its Jacobian is that function's. Source: the lecture.
"""

from __future__ import annotations

import numpy as np

from jacobians.core.layer import Array, Layer, Local
from jacobians.core.terms import term
from jacobians.layers.matrices import inverse
from jacobians.layers.stable import damped

__all__ = ["BayesPosterior", "CrossEntropy", "GaussianLogDensity", "KLDivergence", "ShannonEntropy"]


def log(p: Array) -> Array:
    """The natural logarithm, −∞ at 0 without a warning."""
    with np.errstate(divide="ignore"):
        return np.log(p)


def over(p: Array, q: Array) -> Array:
    """p / q, and 0 for 0 / 0."""
    with np.errstate(divide="ignore"):
        return p / np.where((p == 0) & (q == 0), 1, q)


class CrossEntropy(Layer):
    """H(p, q) = −Σ_i p_i log q_i.

    ∂H/∂p_i = −log q_i, ∂H/∂q_i = −p_i/q_i.
    Shapes: p (..., N), q (..., N) give H (...).
    Source: the lecture, cross entropy.

    Examples
    --------
    >>> CrossEntropy().jacobians([0.5, 0.5], [0.25, 0.75])["q"]
    array([-2.        , -0.66666667])
    """

    shapes = "p (..., N), q (..., N)"
    holomorphic = False

    def forward(self, p: Array, q: Array) -> Array:
        return np.asarray(-damped(log(q), p).sum(axis=-1))

    def local(self, p: Array, q: Array, H: Array) -> Local:
        return {"p": term("(-log(q))_...i -> ...;...i", -log(q)), "q": term("(-p/q)_...i -> ...;...i", -over(p, q))}


class KLDivergence(Layer):
    """D(p‖q) = Σ_i p_i log(p_i/q_i).

    ∂D/∂p_i = log(p_i/q_i) + 1, ∂D/∂q_i = −p_i/q_i.
    Shapes: p (..., N), q (..., N) give D (...).
    Source: the lecture, Kullback–Leibler divergence.

    Examples
    --------
    >>> KLDivergence().jacobians([0.5, 0.5], [0.5, 0.5])["p"]
    array([1., 1.])
    """

    shapes = "p (..., N), q (..., N)"
    holomorphic = False

    def forward(self, p: Array, q: Array) -> Array:
        return np.asarray(damped(log(p) - log(np.where(p == 0, 1, q)), p).sum(axis=-1))

    def local(self, p: Array, q: Array, D: Array) -> Local:
        logarithm = log(p) - log(np.where(p == 0, 1, q))
        return {
            "p": term("(log(p/q)+1)_...i -> ...;...i", logarithm + 1),
            "q": term("(-p/q)_...i -> ...;...i", -over(p, q)),
        }


class ShannonEntropy(Layer):
    """H(p) = −Σ_i p_i log p_i.

    ∂H/∂p_i = −log p_i − 1.
    Shapes: p (..., N) gives H (...).
    Source: the lecture, Shannon entropy.

    Examples
    --------
    >>> ShannonEntropy().jacobians([1.0, 1.0])["p"]
    array([-1., -1.])
    """

    shapes = "p (..., N)"
    holomorphic = False

    def forward(self, p: Array) -> Array:
        return np.asarray(-damped(log(p), p).sum(axis=-1))

    def local(self, p: Array, H: Array) -> Local:
        return {"p": term("(-log(p)-1)_...i -> ...;...i", -log(p) - 1)}


class BayesPosterior(Layer):
    """w_i = l_i p_i / Σ_k l_k p_k: the posterior of hypotheses with prior p and likelihood l of what was seen.

    With the evidence E = Σ_k l_k p_k: ∂w_i/∂p_j = (l_i δ_ij − w_i l_j)/E, ∂w_i/∂l_j = (p_i δ_ij − w_i p_j)/E.
    Shapes: prior (..., N), likelihood (..., N) give w (..., N).
    Errors: ValueError where the evidence is 0.
    Source: the lecture, Bayes' theorem.

    Examples
    --------
    >>> BayesPosterior().jacobians([0.5, 0.5], [1.0, 1.0])["prior"]
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """

    shapes = "prior (..., N), likelihood (..., N)"

    def _evidence(self, prior: Array, likelihood: Array) -> Array:
        evidence: Array = (prior * likelihood).sum(axis=-1, keepdims=True)
        if (evidence == 0).any():
            raise ValueError("BayesPosterior: the evidence Σ prior · likelihood is 0, so there is no posterior")
        return evidence

    def forward(self, prior: Array, likelihood: Array) -> Array:
        return prior * likelihood / self._evidence(prior, likelihood)

    def local(self, prior: Array, likelihood: Array, w: Array) -> Local:
        evidence = self._evidence(prior, likelihood)
        l, p = likelihood / evidence, prior / evidence
        return {
            "prior": term("(l/E)_...i -> ...i;...i", l) - term("w_...i (l/E)_...j -> ...i;...j", w, l),
            "likelihood": term("(p/E)_...i -> ...i;...i", p) - term("w_...i (p/E)_...j -> ...i;...j", w, p),
        }


class GaussianLogDensity(Layer):
    """l = −½ (e · S⁻¹ e + log det S + N log 2π) for e = x − μ, the log-density of a Gaussian with covariance S.

    For a = S⁻¹ e, ∂l/∂x_i = −a_i and ∂l/∂μ_i = a_i; from dS⁻¹ = −S⁻¹ dS S⁻¹ and d log det S = tr(S⁻¹ dS),
    ∂l/∂S_ij = ½ (a_i a_j − S⁻¹_ij). The covariance is taken as (S + Sᵀ)/2, and the Jacobian is that function's.
    Shapes: covariance (N, N), mean (N), x (..., N) give l (...).
    Errors: ValueError unless the covariance is positive definite.
    Source: the lecture, maximum likelihood estimation; The Matrix Cookbook, Gaussians.

    Examples
    --------
    >>> GaussianLogDensity().jacobians([1.0, 3.0], [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]])["x"]
    array([-1., -3.])
    """

    shapes = "covariance (N, N), mean (N), x (..., N)"
    holomorphic = False

    def forward(self, x: Array, mean: Array, covariance: Array) -> Array:
        L = cholesky("GaussianLogDensity", "covariance", covariance)
        e = np.linalg.solve(L, (x - mean)[..., None])[..., 0]
        half_log_det = np.log(np.diagonal(L)).sum()
        return np.asarray(-(e * e).sum(axis=-1) / 2 - half_log_det - len(mean) / 2 * np.log(2 * np.pi).astype(e.dtype))

    def local(self, x: Array, mean: Array, covariance: Array, l: Array) -> Local:
        S_inverse = inverse("GaussianLogDensity", "covariance", (covariance + covariance.T) / 2)
        a = (x - mean) @ S_inverse
        return {
            "x": -term("a_...i -> ...;...i", a),
            "mean": term("a_...i -> ...;i", a),
            "covariance": 0.5 * term("a_...i a_...j -> ...;ij", a, a) - 0.5 * term("S⁻¹_ij -> ...;ij", S_inverse),
        }


def cholesky(layer: str, name: str, S: Array) -> Array:
    """The Cholesky factor of (S + Sᵀ)/2; a ValueError if that is not positive definite."""
    try:
        return np.linalg.cholesky((S + np.swapaxes(S, -1, -2)) / 2)
    except np.linalg.LinAlgError:
        raise ValueError(f"{layer}: {name} must be positive definite, and it is not") from None
