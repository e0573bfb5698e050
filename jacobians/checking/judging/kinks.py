"""At a kink a claimed Jacobian is consistent if each of its rows lies in the convex hull of nearby gradients.

Intervals for each entry are not enough: at a tie of max(x_1, x_2) both entries may be anything in [0, 1], but (1, 1)
is no gradient of max; the hull of (1, 0) and (0, 1) is what Clarke's generalized Jacobian allows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jacobians.checking.measuring.adaptive import Measurement
from jacobians.checking.measuring.directions import natural_scale, replaced
from jacobians.checking.measuring.function import Function, quiet
from jacobians.checking.measuring.verdicts import Verdict

Array = NDArray[np.float64]

RADIUS, COARSE_RADIUS = 1e-5, 3e-2  # how near "nearby" is, relative to x
TOLERANCE = 3e-4  # of the size of the gradients
MOST = 64  # directions of a kind
EVALUATIONS = 60_000


def distance_from_hull(point: Array, vertices: Array) -> float:
    """Largest component by which ``point`` (n,) misses the convex hull of the rows of ``vertices`` (R, n).

    Non-negative least squares (Lawson and Hanson) for V'w = point with Σw = 1 as a heavily weighted row.
    """
    heavy = 1e3 * max(float(np.abs(vertices).max(initial=0)), float(np.abs(point).max(initial=0)), 1e-300)
    matrix = np.vstack([vertices.T, np.full(len(vertices), heavy)])
    target = np.append(point, heavy)
    weights = np.zeros(len(vertices))
    active = np.zeros(len(vertices), dtype=bool)
    for _ in range(3 * len(vertices) + 10):
        gradient = matrix.T @ (target - matrix @ weights)
        gradient[active] = -np.inf
        best = int(np.argmax(gradient))
        if gradient[best] <= 1e-13 * heavy * heavy:
            break
        active[best] = True
        while True:
            trial = np.zeros(len(vertices))
            trial[active] = np.linalg.lstsq(matrix[:, active], target, rcond=None)[0]
            if trial[active].min() > 0:
                weights = trial
                break
            falling = active & (trial <= 0)
            step = np.min(weights[falling] / (weights[falling] - trial[falling]), initial=1.0)
            weights = weights + step * (trial - weights)
            active &= weights > 1e-14
            weights[~active] = 0
            if not active.any():
                break
    return float(np.max(np.abs(vertices.T @ weights - point), initial=0))


def _directions(claim: Array, forward: Array, backward: Array, scale: Array, random: np.random.Generator) -> Array:
    """Directions in which to look for gradients, in units of the scale of x.

    They go along every kinked column, to the sides whose slopes are nearer to the claim, at random, and along the claim
    itself, which is where a norm has it for its gradient.
    """
    kinked = claim.shape[1]
    own = claim[:MOST] / scale
    own = own[np.isfinite(own).all(axis=1) & own.any(axis=1)]
    own = own / np.abs(own).max(axis=1, keepdims=True, initial=0)
    toward = np.where(np.abs(claim - forward) < np.abs(claim - backward), 1.0, -1.0)[:MOST]
    axes = np.eye(kinked)[:MOST]
    straight = np.concatenate([toward, axes, random.standard_normal((32, kinked))])
    straight = straight + 0.1 * random.uniform(-1, 1, size=straight.shape)  # off every other kink
    return np.concatenate([own, straight, -straight])


def judge_kinks(function: Function, measured: Measurement, claim: NDArray[Any], *, coarse: bool) -> None:
    """Turn verdicts KINK into KINK or KINK_WRONG; ``claim`` has the axes (column, output) of ``measured``."""
    kinked = measured.verdict == Verdict.KINK
    if not kinked.any():
        return
    per_output = kinked.sum(axis=0)
    # a single kinked column: the hull is the interval between the one-sided slopes, for both parts if complex
    for part in (np.real, np.imag):
        low = np.minimum(part(measured.forward), part(measured.backward))
        high = np.maximum(part(measured.forward), part(measured.backward))
        slack = TOLERANCE * np.maximum(np.abs(low), np.abs(high)) + 1e-300
        outside = (part(claim) < low - slack) | (part(claim) > high + slack)
        measured.verdict[kinked & outside & (per_output == 1)] = Verdict.KINK_WRONG
    rows = np.flatnonzero(per_output > 1)
    if not len(rows):
        return
    columns = np.flatnonzero(kinked[:, rows].any(axis=1))
    random = np.random.default_rng(0)
    claims = np.real(claim[np.ix_(columns, rows)]).T
    forward = np.real(measured.forward[np.ix_(columns, rows)]).T
    backward = np.real(measured.backward[np.ix_(columns, rows)]).T
    directions = _directions(claims, forward, backward, natural_scale(function)[columns], random)
    affordable = max(16, EVALUATIONS // (2 * len(columns)))
    directions = directions[np.linspace(0, len(directions) - 1, min(affordable, len(directions))).astype(int)]
    gradients = _nearby(function, columns, rows, directions, coarse)
    for row, claimed, found in zip(rows, claims, np.moveaxis(gradients, 2, 0), strict=True):
        own = kinked[columns, row]
        vertices = found[:, own]
        vertices = vertices[np.isfinite(vertices).all(axis=1)]
        if not len(vertices):
            measured.verdict[kinked[:, row], row] = Verdict.NOISE
            continue
        size = float(np.abs(vertices).max(initial=0))
        unique = np.unique(np.round(vertices / (size or 1.0), 6), axis=0) * (size or 1.0)
        if distance_from_hull(claimed[own], unique) > TOLERANCE * size:
            measured.verdict[kinked[:, row], row] = Verdict.KINK_WRONG


def _nearby(
    function: Function, columns: NDArray[np.intp], rows: NDArray[np.intp], directions: Array, coarse: bool
) -> Array:
    """Gradients (direction, column, row) at points near x by central differences."""
    radius = COARSE_RADIUS if coarse else RADIUS
    scale = natural_scale(function)[columns]
    here = function.point.reshape(-1)
    gradients = np.full((len(directions), len(columns), len(rows)), np.nan)
    with quiet():
        for d, direction in enumerate(directions):
            moved = here[columns] + (radius * scale * direction).astype(here.dtype)
            centre = replaced(function.point, columns, moved)
            for c in range(len(columns)):
                step = radius * scale[c] / (8 if coarse else 64)
                one = columns[c : c + 1]
                ahead, behind = moved[c] + step, moved[c] - step
                ends = [function(replaced(centre, one, np.array([end]))) for end in (ahead, behind)]
                width = float(np.real(ahead - behind))
                gradients[d, c] = np.real((ends[0] - ends[1])[rows]) / (width or np.nan)
    return gradients
