"""The checker's numbers in Arb's balls: the network and its kernel at a W, the constants of docs/proofs/convergence.md
(Collatz–Wielandt quotients for B), λ_min and ‖H‖ by interval elimination, and Theorem 7 along floats of its own.
"""

import math

import numpy as np
from flint import arb, arb_mat

from ntkverify.checking.certificate_file import MATRICES, NORMALISED, Claimed
from ntkverify.checking.neurons import NEURONS, Neuron
from ntkverify.checking.theorem import Finding, Scalars, amplitude, at_most, hypotheses, length, most, positive, total

POWER = 20
"""Steps towards the vectors of the quotients; any positive vectors give bounds."""


def _logistic(u):
    return 1 / (1 + (-u).exp())


_RATE, _CUBE = arb(math.sqrt(2 / math.pi)), arb(0.044715)  # the floats that the network has


def _bent(u):
    return _RATE * (u + _CUBE * u * u * u)


def _bent_slope(u):
    return _RATE * (1 + 3 * _CUBE * u * u)


ELEMENTWISE = {
    "exponential": (lambda u: u.exp(), lambda u: u.exp()),
    "tanh": (lambda u: u.tanh(), lambda u: 1 - u.tanh() * u.tanh()),
    "sigmoid": (_logistic, lambda u: _logistic(u) * (1 - _logistic(u))),
    "swish": (lambda u: u * _logistic(u), lambda u: _logistic(u) + u * _logistic(u) * (1 - _logistic(u))),
    "softplus": (lambda u: u.exp().log1p(), _logistic),
    "erf": (lambda u: u.erf() * arb.pi().sqrt() / 2, lambda u: (-u * u).exp()),
    "gelu": (
        lambda u: u * (1 + _bent(u).tanh()) / 2,
        lambda u: (1 + _bent(u).tanh() + u * (1 - _bent(u).tanh() * _bent(u).tanh()) * _bent_slope(u)) / 2,
    ),
}
"""Network → (φ, φ'); softmax is apart."""
BOUNDED = {
    "erf": lambda: (2 * arb(-1).exp()).sqrt(),
    "softplus": lambda: arb(1) / 4, "gelu": lambda: _RATE * (1 + arb("1e-9")),
    "tanh": lambda: 4 / (3 * arb(3).sqrt()), "sigmoid": lambda: 1 / (6 * arb(3).sqrt()), "swish": lambda: arb(1) / 2,
}  # fmt: skip
"""sup |φ''| of the networks that have one."""


def findings(certificate: Claimed, heard) -> tuple[Finding, ...]:
    """Every statement of a certificate, checked; `heard(done, total)` is told of the steps that are followed."""
    given, steps, base = _Floats(certificate), certificate.steps, certificate.base.tolist()
    followed = _followed(given, steps, base, heard) if steps else ()
    shift = arb_mat(given.n, given.d) if given.trained else _Look(given, given.W, given.coupled).outputs

    def error(look: _Look):
        e = look.outputs - shift - given.y
        return length([e[i, k] for i in range(given.n) for k in range(given.d)])

    look = start = _Look(given, base, given.coupled and not steps)
    beside: tuple[Finding, ...] = ()
    if certificate.beside:
        centre = certificate.centre.tolist()
        look = _Look(given, centre, False)
        away = length([arb(x) - arb(y) for row, other in zip(base, centre, strict=True) for x, y in zip(row, other, strict=True)])  # fmt: skip
        beside = (
            at_most("‖W* − W‖ ≤ away", away, certificate.beside["away"]),
            at_most("‖F(W*) − F_0 − Y‖ ≤ off", error(look), certificate.beside["off"]),
        )
    if steps or given.trained:
        size = error(start)
    else:
        size = length([given.y[i, k] for i in range(given.n) for k in range(given.d)])  # e(W(0)) = −Y exactly
    bounds = certificate.bounds
    return *followed, *beside, *_at(look, size, bounds), *hypotheses(given, bounds, certificate.conclusions)


class _Floats(Scalars):
    """The floats of a certificate, as exact numbers."""

    def __init__(self, certificate: Claimed):
        super().__init__(certificate)
        X, y, W, a = (certificate.arrays[name].tolist() for name in MATRICES)
        self.n, self.network = len(X), certificate.network.removesuffix("-bias")
        self.coupled, self.trained, self.W, self.a = (
            certificate.start == "coupled",
            certificate.start == "trained",
            W,
            a,
        )
        self.X, self.y = _exact(X), _exact(y)
        self.shape, self.neuron = certificate.shape, NEURONS.get(self.network)
        self.rows = [[self.X[i, k] for k in range(len(X[0]))] for i in range(self.n)]
        # What of a gradient does not depend on w: the input itself, for ⟨w, x⟩.
        self.outer = (
            self.X if self.neuron is None else arb_mat([self.neuron.outer(row, self.shape) for row in self.rows])
        )
        self.normalised = self.network in NORMALISED
        self.paces, self.bends = [length(row) for row in self.rows], [arb(1)] * self.n
        if self.neuron is not None:
            bounds = [self.neuron.bounds(row, self.shape) for row in self.rows]
            self.bends = [bend for bend, _ in bounds]
            if self.normalised:
                # Logits that bend: how fast they change, and the square of that beside their own bend.
                lengths = [length([self.outer[i, k] for k in range(self.outer.ncols())]) for i in range(self.n)]
                self.paces = [g * length for (_, g), length in zip(bounds, lengths, strict=True)]
                self.bends = [g * g + bend for bend, g in bounds]
        self.longest = most(self.paces)
        self.gram = self.outer * self.outer.transpose()
        self.near = np.array(
            [[float(self.outer[i, k].mid()) for k in range(self.outer.ncols())] for i in range(self.n)]
        )


def _exact(rows: list):
    return arb_mat([[arb(value) for value in row] for row in rows])


class _Look:
    """The network at one W: outputs, Gram matrix and the constants of the lemmas.

    Of a network of pairs one neuron of each pair is looked at and counts twice; its mean is 0.
    """

    def __init__(self, given: _Floats, W: list, paired: bool):
        self.given, self.paired = given, paired
        step, self.times = (2, 2) if paired else (1, 1)
        self.a = _exact([row[::step] for row in given.a])
        W = [row[::step] for row in W]
        self.kinds, n, d, m, zero = len(W[0]), given.n, given.d, given.m, arb(0)
        self.longest, self.inner = given.longest, None
        self.mean, self.weight = [[zero] * d for _ in range(n)], zero
        if given.neuron is None:
            at = given.X * _exact(W)
            z = [[at[i, r] for r in range(self.kinds)] for i in range(n)]
        else:
            z = self._functions(given.neuron, W)
        values = self._softmax(z) if given.normalised else self._elementwise(z)
        self.outputs = arb_mat(n, d) if paired else arb_mat(values) * self.a.transpose()
        if given.normalised and not paired:
            self.mean = [[self.outputs[i, k] / m for k in range(d)] for i in range(n)]

    def _functions(self, neuron: Neuron, W: list) -> list[list]:
        """What neurons that are functions make of the inputs; their gradients."""
        columns = [[arb(row[r]) for row in W] for r in range(self.kinds)]
        found = [[neuron.at(w, row, self.given.shape) for w in columns] for row in self.given.rows]
        self.inner = [[inner for _, inner in row] for row in found]
        return [[value for value, _ in row] for row in found]

    def _softmax(self, z: list[list]) -> list[list]:
        """q_{ir} = m S_{ir}, values and slopes at once; the bounds of Lemmas 2 and 9."""
        given, m = self.given, self.given.m
        self.slope, rates = [], []
        for row, pace in zip(z, given.paces, strict=True):
            exps = [logit.exp() for logit in row]
            mass = total(exps) * self.times
            q = [m * each / mass for each in exps]
            self.slope.append(q)
            rates.append(pace * (1 + total(each * each for each in q) * self.times / (m * m)).sqrt())
        self.bend = [[each * b for each in q] for q, b in zip(self.slope, given.bends, strict=True)]
        self.weight, self.rate = most([q for row in self.slope for q in row]), most(rates)
        return self.slope

    def _elementwise(self, z: list[list]) -> list[list]:
        """Values of neurons under a sum; their slopes and bounds."""
        given, zero = self.given, arb(0)
        if given.neuron is not None:
            self.slope, self.rate, self.bend = [[arb(1)] * self.kinds for _ in z], zero, [[b] for b in given.bends]
            return z
        value, slope = ELEMENTWISE[given.network]
        self.slope = [[slope(u) for u in row] for row in z]
        grows = given.network == "exponential"
        self.bend = self.slope if grows else [[BOUNDED[given.network]()] * self.kinds for _ in z]
        self.rate = self.longest if grows else zero
        return [[value(u) for u in row] for row in z]

    def kernel(self) -> list[list]:
        """H."""
        n, d = self.given.n, self.given.d
        G = arb_mat([
            [g * self.slope[i][r] * (self.a[k, r] - self.mean[i][k]) for r in range(self.kinds) for g in self._inner(i, r)]
            for i in range(n) for k in range(d)
        ])  # fmt: skip
        product, share = G * G.transpose(), arb(self.times) / self.given.m
        return [[product[p, q] * self.given.gram[p // d, q // d] * share for q in range(n * d)] for p in range(n * d)]

    def _inner(self, i: int, r: int) -> list:
        """What of ∇z(w_r; x_i) depends on w."""
        return [arb(1)] if self.inner is None else self.inner[i][r]

    def sharpness(self):
        """B, by Collatz's quotients at positive vectors that need not be right."""
        n, X = self.given.n, self.given.near
        near = np.array([[float(value.mid()) for value in row] for row in self.bend])
        with np.errstate(all="ignore"):
            squares, p = (X @ X.T) ** 2, np.ones_like(near)
            for _ in range(POWER):
                p = near * (squares @ (near * p))
                p = p / p.max(axis=0, keepdims=True) + 1e-7
        p = np.where((p > 0) & np.isfinite(p), p, 1.0)  # Collatz asks for no more
        K2 = arb_mat([[self.given.gram[i, j] * self.given.gram[i, j] for j in range(n)] for i in range(n)])
        weighted = K2 * arb_mat(
            [[b * arb(float(v)) for b, v in zip(self.bend[i], p[i], strict=True)] for i in range(n)]
        )
        return most([self.bend[i][r] * weighted[i, r] / arb(float(p[i, r])) for i in range(n) for r in range(len(self.bend[i]))]).sqrt()  # fmt: skip

    def means(self):
        """max_i ‖f_i‖."""
        return most([length(row) for row in self.mean])

    def pulled(self, e):
        """Jᵀe, for all neurons."""
        n, d = self.given.n, self.given.d
        pull = e * self.a
        inner = [sum((e[i, k] * self.mean[i][k] for k in range(d)), arb(0)) for i in range(n)]
        weighed = [[self.slope[i][r] * (pull[i, r] - inner[i]) for r in range(self.kinds)] for i in range(n)]
        parts = [
            self.given.outer.transpose() * arb_mat([[weighed[i][r] * self._inner(i, r)[k] for r in range(self.kinds)] for i in range(n)])
            for k in range(len(self._inner(0, 0)))
        ]  # fmt: skip
        return arb_mat([[part[k, r] for r in range(self.kinds)] for part in parts for k in range(part.nrows())])


def _at(look: _Look, size, claimed: dict) -> list[Finding]:
    """The numbers at the start against what is claimed."""
    H, low, top = look.kernel(), arb(claimed["lambda"]), arb(claimed["norm"])
    under, over = _pivot(H, low, 1), _pivot(H, top, -1)
    return [
        positive("λ ≤ λ_min(H): 0 < smallest pivot of H − λI", under, claimed["lambda"] > 0),
        positive("‖H‖ ≤ norm: 0 < smallest pivot of norm I − H", over),
        at_most("‖e‖ ≤ size", size, claimed["size"]),
        at_most("‖x_i‖ ≤ longest", look.longest, claimed["longest"]),
        at_most("‖f_i‖ ≤ mean", look.means(), claimed["mean"]),
        at_most("κ ≤ weight", look.weight, claimed["weight"]),
        at_most("ν ≤ rate", look.rate, claimed["rate"]),
        at_most("B ≤ sharpness", look.sharpness(), claimed["sharpness"]),
    ]


def _followed(given: _Floats, steps: int, end: list, heard) -> tuple[Finding, Finding]:
    """Theorem 7: exact gradient descent after `steps` steps against the point `end`, along floats of our own; given up
    where a hypothesis is lost on the way, since neither number becomes smaller again."""
    W, d, fastest = given.W, arb(0), arb(0)
    shift = arb_mat(given.n, given.d) if given.trained else _Look(given, W, given.coupled).outputs
    for step in range(steps):
        look = _Look(given, W, False)
        e = look.outputs - shift - given.y
        size = length([e[i, k] for i in range(given.n) for k in range(given.d)])
        frobenius = length([entry for row in look.kernel() for entry in row])
        C = amplitude(arb(given.d), look.longest, look.weight, look.rate, look.means(), arb(given.m), d) * look.sharpness() * (look.rate * d).exp()  # fmt: skip
        P = (given.m * frobenius).sqrt() + C * d
        E = size + P * d
        fastest = fastest.max(given.eta * (P * P + C * E))
        after = _exact(W) - given.eta * look.pulled(e)
        W = [[float(after[k, r].mid()) for r in range(given.m)] for k in range(len(W))]
        error = length([abs(after[k, r] - arb(W[k][r])).upper() for k in range(len(W)) for r in range(given.m)])
        d = arb(((1 + given.eta * C * E) * d + error).upper())
        heard(step + 1, steps)
        if not (fastest <= 2 and d <= given.omega):
            break
    away = length([arb(x) - arb(y) for row, other in zip(W, end, strict=True) for x, y in zip(row, other, strict=True)])
    return (
        at_most("η(P² + CE) ≤ 2 on the way", fastest, 2.0),
        at_most("distance of exact gradient descent from the later start ≤ ω", d + away, float(given.omega.mid())),
    )


def _pivot(H: list, shift, sign: int) -> float:
    """A lower bound on the smallest pivot of ±(H − shift I) eliminated in balls: above 0 only if every member of
    that ball matrix is positive definite."""
    size = len(H)
    A = [[sign * (H[p][q] - (shift if p == q else 0)) for q in range(p + 1)] for p in range(size)]
    least = math.inf
    for k in range(size):
        pivot = A[k][k]
        least = min(least, float(pivot.lower())) if pivot.is_finite() else -math.inf
        if not pivot > 0:
            return min(least, 0.0)
        column = [A[p][k] for p in range(k + 1, size)]
        for p in range(k + 1, size):
            share = column[p - k - 1] / pivot
            row = A[p]
            for q in range(k + 1, p + 1):
                row[q] -= share * column[q - k - 1]
    return least
