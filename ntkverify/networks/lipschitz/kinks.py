"""Piecewise linear networks R → R between their kinks, where they are straight: exact in `fractions`, to rounding in floats.

A layer is x ↦ σ(W x + b); arrays hold floats or, with dtype object, `Fraction`s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Segments:
    """An activation of three segments for each neuron: slopes (width, 3), left of the first kink, between, right of the
    second, and 0 at the first; kinks (width, 2), ascending.  Two segments are three whose second kink bends nothing."""

    kinks: np.ndarray
    slopes: np.ndarray

    def __call__(self, Z: np.ndarray) -> np.ndarray:
        first, second = self.kinks.T
        left, middle, right = self.slopes.T
        above = np.maximum(Z - first, 0 * first)
        return (
            left * np.minimum(Z - first, 0 * first)
            + middle * np.minimum(above, second - first)
            + right * np.maximum(Z - second, 0 * second)
        )

    def bends(self, Z: np.ndarray) -> np.ndarray:
        """(points, 2 width): where a column changes sign the activation bends."""
        return np.concatenate([Z - self.kinks[:, 0], Z - self.kinks[:, 1]], axis=1)


@dataclass(frozen=True)
class MaxMin:
    """Neurons 2i and 2i + 1 give their maximum and their minimum."""

    def __call__(self, Z: np.ndarray) -> np.ndarray:
        first, second = Z[:, ::2], Z[:, 1::2]
        return np.stack([np.maximum(first, second), np.minimum(first, second)], axis=2).reshape(Z.shape)

    def bends(self, Z: np.ndarray) -> np.ndarray:
        """(points, width / 2): where a column changes sign the two change places."""
        return Z[:, ::2] - Z[:, 1::2]


@dataclass(frozen=True)
class Layer:
    """W (width, width before), b (width,), and the activation, None in the last layer."""

    W: np.ndarray
    b: np.ndarray
    activation: Segments | MaxMin | None = None


def evaluate(layers: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    """F at the points x (points,)."""
    H = x[:, None]
    for layer in layers:
        Z = H @ layer.W.T + layer.b
        H = Z if layer.activation is None else layer.activation(Z)
    return H[:, 0]


def breaks(layers: Sequence[Layer], low, high) -> np.ndarray:
    """Points of [low, high], both ends among them, between which F is straight."""
    x = np.array([low, high], dtype=object if isinstance(low, Fraction) else float)
    H = x[:, None]
    for layer in layers:
        Z = H @ layer.W.T + layer.b
        if layer.activation is None:
            break
        D = layer.activation.bends(Z)
        before, after = D[:-1], D[1:]
        rows, columns = np.nonzero((before * after < 0).astype(bool))
        shares = before[rows, columns] / (before[rows, columns] - after[rows, columns])
        places = sorted({*((row, 0) for row in range(len(x))), *zip(rows.tolist(), shares.tolist(), strict=True)})
        row = np.array([place[0] for place in places])
        share = np.array([place[1] for place in places], dtype=x.dtype)
        following = np.minimum(row + 1, len(x) - 1)
        x = x[row] + share * (x[following] - x[row])
        H = layer.activation(Z[row] + share[:, None] * (Z[following] - Z[row]))
    return x


def norm_at_most_one(W: np.ndarray) -> bool:
    """Whether these floats, as exact numbers, are proved to have ‖W‖ ≤ 1, by ‖W‖² ≤ ‖WᵀW‖_∞ and ‖W‖² ≤ ‖WWᵀ‖_∞."""
    exact = np.array([[Fraction(value) for value in row] for row in W.tolist()], dtype=object)
    return any(np.abs(gram).sum(axis=1).max() <= 1 for gram in (exact.T @ exact, exact @ exact.T))


def rational(layers: Sequence[Layer]) -> list[Layer]:
    """The same network, its floats read as exact numbers."""

    def exact(array: np.ndarray) -> np.ndarray:
        return np.array([Fraction(value) for value in array.ravel().tolist()], dtype=object).reshape(array.shape)

    def of(activation):
        return (
            Segments(exact(activation.kinks), exact(activation.slopes))
            if isinstance(activation, Segments)
            else activation
        )

    return [Layer(exact(layer.W), exact(layer.b), of(layer.activation)) for layer in layers]
