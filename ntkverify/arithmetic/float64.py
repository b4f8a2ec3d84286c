"""Formulas in float64 balls: every rounding enclosed, at sizes that are too slow for Arb.

The arithmetic is that of `balls`, on whole NumPy arrays.
"""

from collections.abc import Callable

import flint
import numpy as np

from ntkverify.arithmetic import arrays, balls, matrices
from ntkverify.arithmetic.arb import each, traced
from ntkverify.arithmetic.balls import Ball
from ntkverify.arithmetic.contract import Arithmetic


def enclosed_in_float64(function: Callable) -> Callable:
    """The function that returns enclosures as object arrays of `flint.arb`; Booleans and whole numbers known, or None."""
    return lambda *args: traced(FLOAT64, function, args, _arb)


def in_balls(function: Callable) -> Callable:
    """The function that returns enclosures as `balls.Ball`."""
    return lambda *args: traced(FLOAT64, function, args, lambda output: output)


def _arb(ball: Ball) -> np.ndarray:
    return each(
        lambda mid, rad: flint.arb(float(mid), float(rad)) if rad < np.inf else flint.arb("nan"), ball.mid, ball.rad
    )


def _stack(parts: list[Ball]) -> Ball:
    return Ball(*(np.stack([getattr(part, name) for part in parts]) for name in ("mid", "rad")))


class _Float64(Arithmetic):
    """Midpoints and radii, with proved bounds on every rounding."""

    xp = np

    def exact(self, array) -> Ball:
        return balls.exact(array)

    def add(self, a: Ball, b: Ball) -> Ball:
        return balls.add(a, b)

    def subtract(self, a: Ball, b: Ball) -> Ball:
        return balls.subtract(a, b)

    def multiply(self, a: Ball, b: Ball) -> Ball:
        return balls.multiply(a, b)

    def divide(self, a: Ball, b: Ball) -> Ball:
        return balls.divide(a, b)

    def root(self, a: Ball) -> Ball:
        return balls.root(a)

    def exp(self, a: Ball) -> Ball:
        return balls.exp(a)

    def expm1(self, a: Ball) -> Ball:
        return balls.expm1(a)

    def log(self, a: Ball) -> Ball:
        return balls.log(a)

    def log1p(self, a: Ball) -> Ball:
        return balls.log1p(a)

    def rounded(self, a: Ball, dtype) -> Ball:
        return a

    def between(self, low, high, dtype) -> Ball:
        return balls.between(np.asarray(low, np.float64), np.asarray(high, np.float64))

    def ends(self, a: Ball):
        known = np.isfinite(a.rad)
        exact = a.rad == 0
        ends = zip((a.lower, a.upper), (-np.inf, np.inf), strict=True)
        low, high = (np.where(exact, a.mid, np.where(known, end, limit)) for end, limit in ends)
        return low, high

    def middle(self, a: Ball):
        return np.where(np.isfinite(a.rad), a.mid, np.nan)

    def widened(self, a: Ball, by) -> Ball:
        return balls.widened(a, by)

    def possible(self, a: Ball, b: Ball):
        (low_a, high_a), (low_b, high_b) = self.ends(a), self.ends(b)
        unknown = np.isinf(a.rad) | np.isinf(b.rad)  # not even above −∞
        less, greater = ~(low_a >= high_b) | unknown, ~(high_a <= low_b) | unknown
        return less, ~((high_a < low_b) | (low_a > high_b)) | unknown, greater

    def known(self, a: Ball):
        return np.isfinite(a.mid) & np.isfinite(a.rad)

    def chosen(self, which, unsure, cases: list[Ball]) -> Ball:
        index = np.asarray(which).astype(int)
        picked = Ball(*(np.choose(index, [getattr(case, part) for case in cases]) for part in ("mid", "rad")))
        if unsure is None:
            return picked
        lows, highs = zip(*map(self.ends, cases), strict=True)
        wide = balls.between(np.minimum.reduce(lows), np.maximum.reduce(highs))
        return Ball(np.where(unsure, wide.mid, picked.mid), np.where(unsure, wide.rad, picked.rad))

    def moved(self, move: Callable, *parts: Ball):
        many, found = arrays.places(move, [part.shape for part in parts])
        mid, rad = (np.concatenate([getattr(part, name).ravel() for part in parts]) for name in ("mid", "rad"))
        moved = [Ball(arrays.taken(mid, index, 0.0), arrays.taken(rad, index, np.inf)) for index in found]
        return moved if many else moved[0]

    def loop(self, step, carry: list, rows: list, length: int, reverse: bool):
        return arrays.loop(step, carry, rows, length, reverse, lambda part, place: part[place].each(np.asarray), _stack)

    def square(self, a: Ball) -> Ball:
        return balls.multiply(a, a)

    def negative(self, a: Ball) -> Ball:
        return Ball(-a.mid, a.rad)

    def absolute(self, a: Ball) -> Ball:
        return Ball(np.abs(a.mid), a.rad)

    def larger(self, a: Ball, b: Ball) -> Ball:
        return Ball(np.maximum(a.mid, b.mid), np.maximum(a.rad, b.rad))

    def smaller(self, a: Ball, b: Ball) -> Ball:
        return Ball(np.minimum(a.mid, b.mid), np.maximum(a.rad, b.rad))

    def second_order(self, a: Ball) -> Ball:
        return balls.second_order(a)

    def arctangent(self, a: Ball) -> Ball:
        return balls.arctangent(a)

    def gaussian_integral(self, a: Ball) -> Ball:
        return balls.gaussian_integral(a)

    def total(self, a: Ball, axes) -> Ball:
        return balls.total(a, axes) if axes else a

    def largest(self, a: Ball, axes) -> Ball:
        return Ball(a.mid.max(axis=axes), a.rad.max(axis=axes))

    def smallest(self, a: Ball, axes) -> Ball:
        return Ball(a.mid.min(axis=axes), a.rad.max(axis=axes))

    def sorted(self, a: Ball, axis: int) -> Ball:
        """The k-th smallest of numbers that move by at most r moves by at most r."""
        return Ball(np.sort(a.mid, axis), np.broadcast_to(a.rad.max(axis=axis, keepdims=True), a.shape))

    def dot(self, a: Ball, b: Ball, dimensions) -> Ball:
        rows_of, columns_of, back = arrays.as_matrices(dimensions, a.shape, b.shape)
        return balls.product(a.each(rows_of), b.each(columns_of)).each(back)

    def eigenvalues(self, a):
        return matrices.eigenvalues(self, a, self._eigenvectors(a))

    def _eigenvectors(self, a: Ball) -> Ball:
        middle = np.where(np.isfinite(a.rad), a.mid, 0.0)
        found = balls.exact(np.linalg.eigh((middle + np.swapaxes(middle, -1, -2)) / 2)[1])
        return Ball(found.mid, np.where(np.isfinite(a.rad).all((-1, -2), keepdims=True), found.rad, np.inf))


FLOAT64 = _Float64()
