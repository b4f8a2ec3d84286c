"""How far two samples are apart: sliced Wasserstein distance and MMD, with bootstrap intervals.

A sample is never at distance 0 from another of the same law, and resampling adds to it; so what is
reported is the excess over a floor, the distance that the exact score reaches, resampled alongside.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ntkverify.ground.numerics import LEVEL

DIRECTIONS, RESAMPLED = 64, 200
SLICED, MMD = "sliced Wasserstein", "MMD²"


@dataclass(frozen=True)
class Comparison:
    """A sample's distance to the truth, the floor, and the excess over it with its interval."""

    distance: float
    floor: float
    excess: float
    low: float
    high: float


def directions(d: int, count: int = DIRECTIONS, seed: int = 0) -> np.ndarray:
    """Unit vectors, (count, d), uniform on the sphere."""
    drawn = np.random.default_rng(seed).standard_normal((count, d))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def sliced_wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """√ of the mean over directions of W₂² between the projections of two (n, d) samples of one size."""
    along = directions(a.shape[1])
    return _between(a @ along.T, b @ along.T)


def _between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.sort(a, axis=0) - np.sort(b, axis=0)) ** 2)))


def bandwidth(a: np.ndarray) -> float:
    """The median distance between rows."""
    return float(np.median(np.sqrt(_squared(a, a)[np.triu_indices(len(a), 1)])))


def mmd(a: np.ndarray, b: np.ndarray, width: float) -> float:
    """MMD² of the kernel exp(−‖x − y‖²/(2 width²)) between two samples as they are (a V-statistic, ≥ 0)."""
    gram, rows = _gram(np.concatenate([a, b]), width), np.arange(len(a) + len(b))
    return float(_forms(gram, rows[None, : len(a)], rows[None, len(a) :])[0])


def _gram(points: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-_squared(points, points) / (2 * width**2))


def _forms(gram: np.ndarray, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """wᵀ G w for each pair of lists of rows, w the difference of the empirical measures on them; (times,)."""
    size = len(gram)
    shares = [np.stack([np.bincount(row, minlength=size) for row in rows]) / rows.shape[1] for rows in (ones, others)]
    w = shares[0] - shares[1]
    return np.sum((w @ gram) * w, axis=1)


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.maximum(np.sum(a**2, 1)[:, None] + np.sum(b**2, 1)[None] - 2 * a @ b.T, 0)


def compared(learned: np.ndarray, exact: np.ndarray, truth: np.ndarray, seed: int = 0) -> dict[str, Comparison]:
    """Both distances of (n, d) samples of one size: distance(learned, truth) − distance(exact, truth).

    The same rows of the truth are resampled for both, so that what they share cancels.
    """
    n, along = len(truth), directions(truth.shape[1])
    projected = [each @ along.T for each in (learned, exact, truth)]
    gram = _gram(np.concatenate([learned, exact, truth]), bandwidth(truth))

    def sliced(side, rows, of):
        pairs = zip(rows, of, strict=True)
        return np.array([_between(projected[side][mine], projected[2][other]) for mine, other in pairs])

    def kernel(side, rows, of):
        return _forms(gram, side * n + rows, 2 * n + of)

    return {name: _excess(distance, n, seed) for name, distance in {SLICED: sliced, MMD: kernel}.items()}


def _excess(distance: Callable[[int, np.ndarray, np.ndarray], np.ndarray], n: int, seed: int) -> Comparison:
    """The excess with its basic bootstrap interval; `distance` takes rows of many resamples at once."""
    mine, other, of = np.random.default_rng(seed).integers(0, n, (3, RESAMPLED, n))
    found = distance(0, mine, of) - distance(1, other, of)
    upper, lower = np.quantile(found, [(1 + LEVEL) / 2, (1 - LEVEL) / 2])
    every = np.arange(n)[None]
    far, floor = float(distance(0, every, every)[0]), float(distance(1, every, every)[0])
    return Comparison(far, floor, far - floor, float(2 * (far - floor) - upper), float(2 * (far - floor) - lower))
