"""The zigzag N on [−L, L], slopes 1, −1, 1 with kinks at ±1: who represents it, and how far all others stay away.

Statements and proofs: docs/findings/n-activation.md.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.networks.lipschitz.kinks import Layer, Segments, breaks, evaluate, rational

THRESHOLD = 3
"""Two folds give N on [−3, 3]; on longer intervals no number of them does."""
SPLITS = tuple(Fraction(i, 16) for i in range(1, 16))
"""Values of s in Lemma 1, each of which gives a bound."""


def target(x: np.ndarray) -> np.ndarray:
    """N(x), floats or `Fraction`s."""
    return np.where(x < -1, x + 2, np.where(x > 1, x - 2, -x))


def constants(L: Fraction, s: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """G, c_u and c_v of Lemma 1."""
    gamma = 2 / (L - 1)
    G = 5 + 6 * (1 + gamma**2) / ((1 - s) * (1 - gamma)) ** 2
    return G, Fraction(1, 2) + 3 / (2 * s * (1 - gamma)) ** 2, Fraction(1, 2) + 3 * gamma / (4 * s * (1 - gamma))


def least_error(L: float | Fraction, depth: int) -> Fraction | None:
    """A lower bound on sup|F − N| over [−L, L], for every network of `depth` layers of two-segment or MaxMin neurons
    of any width; None where none is proved (`refusal` says why)."""
    if refusal(L, depth):
        return None
    exact = Fraction(L)
    U, V = exact - 1, 2
    if depth == 1:
        return U * V / (U + 2 * V)
    found = []
    for s in SPLITS:
        G, c_u, c_v = constants(exact, s)
        found.append(U * V / (2 * G ** (depth - 1) * (U + V + 2 * (V * c_u + U * c_v))))
    return max(found)


def refusal(L: float | Fraction, depth: int) -> str:
    """Why the theorem says nothing of these, or an empty sentence."""
    if depth < 1:
        raise BadInput(f"depth = {depth}", "at least one layer of neurons", "depth=1")
    if not 0 < L < math.inf:
        raise BadInput(f"L = {L:g}", "a finite half length above 0", "L=9")
    if L <= 1:
        return "On [−L, L] with L ≤ 1 the target is a straight line."
    if depth > 1 and L <= THRESHOLD:
        return f"L = {float(L):g} is at most {THRESHOLD}: two folds represent the target."
    return ""


def error(layers: Sequence[Layer], L) -> tuple:
    """sup|F − N| over [−L, L] and where it is taken; exact if the layers and L are rational."""
    x = np.sort(np.concatenate([breaks(layers, -L, L), [each for each in (-1, 1) if L > 1]]))
    distance = np.abs(evaluate(layers, x) - target(x))
    return distance[place := int(np.argmax(distance))], x[place]


def exceeds(layers: Sequence[Layer], x: float, bound: Fraction) -> bool:
    """Whether |F(x) − N(x)| ≥ bound, decided in rational arithmetic."""
    point = np.array([Fraction(x)], dtype=object)
    return bool(abs(evaluate(rational(layers), point) - target(point))[0] >= bound)


def _one(*values) -> np.ndarray:
    return np.array([[Fraction(value) for value in values]], dtype=object)


def n_network() -> list[Layer]:
    """N(x) = 1 + σ(x), one neuron whose segments have slopes 1, −1, 1."""
    return [Layer(_one(1), _one(0)[0], Segments(_one(-1, 1), _one(1, -1, 1))), Layer(_one(1), _one(1)[0])]


def two_folds() -> list[Layer]:
    """N(x) = ||x + 1| − 2| − 1 on [−3, ∞)."""
    fold = Segments(_one(0, 0), _one(-1, 1, 1))
    return [Layer(_one(1), _one(1)[0], fold), Layer(_one(1), _one(-2)[0], fold), Layer(_one(1), _one(-1)[0])]


def best_of_one_layer(L: float) -> list[Layer]:
    """α x − β (|x + 1| − |x − 1|), α = (L − 1)/(L + 3), α + 2β = 1: as near as one layer comes."""
    alpha = (L - 1) / (L + 3)
    share = np.sqrt([alpha, (1 - alpha) / 2, (1 - alpha) / 2])
    slopes = np.array([[1.0, 1, 1], [-1, 1, 1], [-1, 1, 1]])
    return [
        Layer(share[:, None], np.array([0, share[1], -share[2]]), Segments(np.zeros((3, 2)), slopes)),
        Layer(share[None] * [1, -1, 1], np.zeros(1)),
    ]


def fold_by_fold(L: float, depth: int) -> list[Layer]:
    """Two neurons a layer, one of them straight: the outer parts of N, in a plane, are turned by π in steps of π/depth.

    Its error is (L − 1)(1 − cos(π/depth))/2.
    """
    step = math.pi / depth
    angle, frame, centre, layers = [0.0, 0.0], np.eye(2), np.array([-1.0, 0.0]), []
    slopes = np.array([[1.0, 1, 1], [-1, 1, 1]])
    for index in range(depth):
        side = index % 2  # the left part turns about N's first kink, the right part about its second
        half = (angle[side] + (index + 1) * step) / 2
        angle[side] = (index + 1) * step
        sign = 1 - 2 * side
        new = np.array([[math.cos(half), math.sin(half)], [sign * math.sin(half), -sign * math.cos(half)]])
        pivot = np.array([2.0 * side, 0.0])
        W, b = new @ frame.T, new @ (centre - pivot)
        if not layers:  # the plane's first axis is x + 1
            W, b = new[:, :1], new @ (np.array([1.0, 0.0]) - pivot)
        layers.append(Layer(W, b, Segments(np.zeros((2, 2)), slopes)))
        frame, centre = new, pivot
    behind = (L - 1) * (1 - math.cos(step)) / 2 * (1 if depth % 2 else -1)
    return [*layers, Layer(-frame.T[:1], np.array([1 - centre[0] + behind]))]
