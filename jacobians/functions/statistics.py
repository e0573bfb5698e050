"""Averages with weights, covariances, quantiles and histograms.

A quantile is a mean of two neighbours in the sorted sample. Which ones, and how much each of them counts, NumPy says
itself: its quantile of 0, 1, 2, … is the position in the sorted sample. A count does not change nearby, but the edges
of the bins of a sample do, and so does a density.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians import layers
from jacobians.core.applying import apply
from jacobians.core.rules import RULES, refuse, rule
from jacobians.core.traced import Traced
from jacobians.functions.assembling import as_arrays, whole
from jacobians.functions.constants import plain
from jacobians.layers.placing import Rearrange

# --- averages and covariances ----------------------------------------------------------------------------------------


@rule(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    """The mean with weights."""
    a, weights, keepdims = whole(a), whole(weights), keepdims is True
    output = np.average(plain(a), axis, plain(weights), keepdims=keepdims)
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        number = np.full(np.shape(output), np.size(plain(a)) / max(1, np.size(output)), np.result_type(output))
        return (mean, number) if returned else mean
    if np.shape(plain(weights)) != np.shape(plain(a)):  # its axes are those that are averaged
        axes = np.atleast_1d(np.asarray(axis)) % np.ndim(plain(a))
        moved = np.transpose(weights, np.argsort(axes).tolist())
        weights = np.reshape(moved, [n if k in axes else 1 for k, n in enumerate(np.shape(plain(a)))])
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, np.broadcast_to(total, np.shape(output))) if returned else mean


@rule(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """The covariances of variables."""
    np.cov(plain(m), plain(y), rowvar, bias, ddof, plain(fweights), plain(aweights), dtype=dtype)  # raises, warns
    X = _variables(m, rowvar or plain(whole(m)).ndim == 1)
    if y is not None:
        second = _variables(y, True)
        X = np.concatenate([X, second if rowvar or second.shape[0] == 1 else second.T], axis=0)
    X = X * np.ones((), np.result_type(plain(X), np.float64 if dtype is None else dtype))
    ddof = ddof if ddof is not None else int(not bias)
    weights = [np.asarray(w, float) if not isinstance(w, Traced) else w for w in (fweights, aweights) if w is not None]
    if not weights:
        centred = X - np.mean(X, axis=1, keepdims=True)
        weighted, count = centred, X.shape[1] - ddof
    else:
        w = weights[0] if len(weights) == 1 else weights[0] * weights[1]
        total = np.sum(w)
        centred = X - np.sum(X * w, axis=1, keepdims=True) / total
        weighted = centred * w
        count = total if ddof == 0 else total - ddof * (1 if aweights is None else np.sum(w * aweights) / total)
    right = np.conjugate(weighted) if weighted.dtype.kind == "c" else weighted
    return np.squeeze(np.matmul(centred, right.T) / count)


def _variables(x: Any, rows: bool) -> Any:
    """The observations of every variable as a row."""
    x = whole(x)
    x = np.atleast_2d(x if isinstance(x, Traced) else np.asarray(x))
    return x if rows else x.T


@rule(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """The correlations of variables."""
    c = np.cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviations = np.sqrt(np.real(np.diagonal(c)) if c.dtype.kind == "c" else np.diagonal(c))
    return c / deviations[:, None] / deviations[None, :]


# --- quantiles -------------------------------------------------------------------------------------------------------


def _positions(a: Any, axis: Any) -> tuple[Any, Any]:
    """Flat positions with the axes that are reduced as the last one, and the values there."""
    values = plain(a)
    axes = (
        tuple(range(values.ndim)) if axis is None else tuple(k % values.ndim for k in np.atleast_1d(np.asarray(axis)))
    )
    flat = np.moveaxis(np.arange(values.size).reshape(values.shape), axes, range(-len(axes), 0)) if axes else (
        np.zeros((1,), int))  # fmt: skip
    flat = flat.reshape(*flat.shape[: values.ndim - len(axes)], -1)
    return flat, values.reshape(-1)[flat]


def _quantile(
    function: Callable[..., Any], a: Any, q: Any, scale: float, axis: Any, method: str, keepdims: Any, weights: Any
) -> Any:
    """Quantiles q / scale; `function` is NumPy's."""
    (a,), q, keepdims = as_arrays(a), whole(q), keepdims is True
    name, fractions = function.__name__, np.asarray(plain(q)) / scale
    nan = name.startswith("nan")
    given = {} if weights is None else {"weights": plain(weights)}
    if "median" in name:
        output = function(plain(a), axis=axis, keepdims=keepdims)
    else:
        output = function(plain(a), plain(q), axis=axis, method=method, keepdims=keepdims, **given)
    flat, values = _positions(a, axis)
    if weights is not None:  # the methods with weights choose an entry
        found = function(plain(a), plain(q), axis=axis, method=method, **given)
        if isinstance(q, Traced):
            refuse(f"np.{name} at a traced q with weights", "leave the weights out")
        chosen = np.argmax(values == np.asarray(found)[..., None], axis=-1)
        return _taken(a, _entries(flat, chosen).reshape(np.shape(output)), output)
    order = np.argsort(values, axis=-1, kind="stable")  # NaN last
    numbers = np.sum(~np.isnan(values), axis=-1) if nan else np.full(values.shape[:-1], values.shape[-1])
    if values.shape[-1] == 0 or bool((numbers == 0).any()):
        refuse(f"np.{name} of no numbers", "there is nothing to differentiate by")
    at = np.zeros(fractions.shape + numbers.shape)
    for n in np.unique(numbers):
        one = np.asarray(np.quantile(np.arange(n, dtype=float), fractions, method=method))  # type: ignore[call-overload]  # any of the methods
        at[..., numbers == n] = one[..., None]
    low = np.floor(at).astype(int)
    low = np.minimum(low, np.maximum(numbers - 2, 0))
    ordered = np.take_along_axis(flat, order, -1)
    shape = np.shape(output)
    kind = np.result_type(values)
    first = _entries(ordered, low).reshape(shape)
    second = _entries(ordered, np.minimum(low + 1, numbers - 1)).reshape(shape)
    share: Any = (at - low).reshape(shape).astype(kind if kind.kind in "fc" else float)
    if isinstance(q, Traced):
        if method != "linear":
            refuse(f"np.{name} at a traced q with method={method!r}", 'only method="linear" has a derivative by q')
        wide = np.reshape(q, q.shape + (1,) * (len(shape) - q.ndim)) / scale
        share = wide * (np.broadcast_to(numbers, at.shape).reshape(shape) - 1.0) - low.reshape(shape)
    elif not share.any():
        return _taken(a, first, output)
    x, y = _taken(a, first), _taken(a, second)
    return apply(layers.Add(), x * (1 - share), y * share, output=np.asarray(output))


def _entries(rows: Any, k: Any) -> Any:
    """Entry k of the last axis, for more axes in front."""
    wide = np.broadcast_to(rows, (*k.shape, rows.shape[-1]))
    return np.take_along_axis(wide, k[..., None], -1)[..., 0]


def _taken(a: Any, positions: Any, output: Any = None) -> Any:
    """The entries at flat positions."""
    if not isinstance(a, Traced):
        return np.asarray(a).reshape(-1)[positions]
    return apply(Rearrange(positions, a.shape), a, output=None if output is None else np.asarray(output))


def _enter(function: Callable[..., Any], scale: float) -> None:
    def call(
        a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
        keepdims: Any = False, *, weights: Any = None,
    ) -> Any:  # fmt: skip
        return _quantile(function, a, q, scale, axis, method, keepdims, weights)

    RULES[function] = call


for _function, _scale in ((np.quantile, 1), (np.percentile, 100), (np.nanquantile, 1), (np.nanpercentile, 100)):
    _enter(_function, _scale)


def _enter_median(function: Callable[..., Any]) -> None:
    def call(
        a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = False
    ) -> Any:  # fmt: skip
        return _quantile(function, a, 0.5, 1, axis, "linear", keepdims, None)

    RULES[function] = call


_enter_median(np.median)
_enter_median(np.nanmedian)


# --- histograms ------------------------------------------------------------------------------------------------------


def _edges(a: Any, bins: Any, limits: Any) -> Any:
    """The edges of the bins, which depend on the sample unless a range or edges are given."""
    if isinstance(bins, str):
        refuse(f"np.histogram with bins={bins!r}", "give the number of bins, or their edges")
    if np.ndim(plain(bins)) == 1:
        return whole(bins)
    number = operator.index(bins)
    low, high = (np.min(a), np.max(a)) if limits is None else limits
    if plain(low) == plain(high):
        low, high = low - 0.5, high + 0.5
    steps = np.arange(number + 1) / number
    return low * (1 - steps) + high * steps


@rule(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:  # noqa: A002 - as NumPy calls it
    """The edges of the bins of a histogram."""
    return _edges(whole(a), bins, range)


@rule(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:  # noqa: A002 - as NumPy calls it
    """Counts, or the sums of weights, or a density, in bins; and their edges."""
    a, weights = whole(a), whole(weights)
    counts, known = np.histogram(plain(a), plain(bins), plain(range), weights=plain(weights))
    edges = _edges(a, bins, range)
    found: Any = counts
    if isinstance(weights, Traced):
        at = np.searchsorted(known, np.ravel(plain(a)), "right") - 1
        at = np.where(np.ravel(plain(a)) == known[-1], len(counts) - 1, at)
        inside = (at >= 0) & (at < len(counts))
        sums = layers.Scatter(at[inside], (len(counts),))
        found = apply(sums, np.ravel(weights)[inside], output=counts)
    if density:
        found = found / np.diff(edges) / np.sum(found)
    return found, edges


def _grid(function: Callable[..., Any]) -> None:
    """Enter a histogram in several dimensions: its counts are constant, its edges have to be."""

    def call(*samples: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:  # noqa: A002 - as NumPy calls it
        if isinstance(whole(weights), Traced) or (density and range is None):
            refuse(f"np.{function.__name__} with a density or traced weights", "use np.histogram, or give a range")
        found = function(*[plain(x) for x in samples], bins=bins, range=range, density=density, weights=weights)
        if range is None and np.ndim(bins) == 0:
            refuse(f"np.{function.__name__} without a range", "give range= or the edges: they would depend on the data")
        return found

    RULES[function] = call


_grid(np.histogram2d)
_grid(np.histogramdd)


@rule(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """How often every integer occurs, or the sum of its weights."""
    weights = whole(weights)
    output = np.bincount(plain(x), plain(weights), minlength)
    if not isinstance(weights, Traced):
        return output
    return apply(layers.Scatter(np.asarray(plain(x)), output.shape), weights, output=output)
