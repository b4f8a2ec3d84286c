"""Whether the limit kernel is positive definite, certified: a bound on λ_min(K) from below with every error enclosed.

With s_i = σ‖x_i‖ and φ'(s z) = Σ_j c_j(s) h_j(z) in normalised Hermite polynomials, K = Σ_j D_j Ĝ^{∘(j+1)} D_j with D_j =
diag(‖x_i‖ c_j(s_i)) and Ĝ the Gram matrix of the directions (Mehler).  Every term is positive semidefinite (Schur), so a few of them
bound K from below, however many there are.  c_j is an integral over one variable, enclosed by Arb (Johansson 2018) on [−A, A]; beyond,
|φ'| ≤ 1.2 and Cauchy and Schwarz leave at most 1.2 P(|z| > A)^{1/2}.  ReLU, whose φ' is no analytic function, by its closed form.

That K is positive definite for every activation that is no polynomial, on inputs no two of which are parallel, is a theorem
(arXiv:2404.12928, abstract); here it is said of the data at hand, and by how much.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np
from flint import acb, arb, arb_mat

from ntkverify import catalogue
from ntkverify.arithmetic.arb import precision
from ntkverify.checking.in_balls import ELEMENTWISE
from ntkverify.networks.kinds import relu
from ntkverify.networks.nouns import Problem, TwoLayer

BITS, TERMS, REACH = 256, 16, 20
LARGEST_SLOPE = 1.2
"""Above sup|φ'| of tanh (1), sigmoid (¼), softplus (1), swish (1.1), gelu (1.13) and erf (1)."""


@dataclass(frozen=True)
class Floor:
    """What was proved of λ_min(K)."""

    value: float
    """At most λ_min(K); 0: nothing was proved."""
    said: str


def floor(problem: Problem, terms: int = TERMS) -> Floor:
    """A bound on λ_min(K) from below.  `terms`: of the Hermite series, more where inputs come close."""
    network = problem.activation
    if network.neuron is not None:
        return Floor(0.0, f"{network.name}: its limit is an integral over many variables, which is not enclosed")
    with precision(BITS):
        rows = [[arb(float(x)) for x in row] for row in np.asarray(problem.X, np.float64)]
        lengths = [sum((x * x for x in row), arb(0)).sqrt() for row in rows]
        if not all(length > 0 for length in lengths):
            return Floor(0.0, "an input is zero, so its row of K vanishes")
        units = [[x / length for x in row] for row, length in zip(rows, lengths, strict=True)]
        gram = arb_mat(units) * arb_mat(units).transpose()
        kernel = _relu(gram, lengths) if relu(network) else _series(network, problem, gram, lengths, terms)
        value = smallest(kernel)
    if value > 0:
        return Floor(value, "K is positive definite")
    return Floor(0.0, _parallel(problem) or f"{terms} terms do not tell the inputs apart")


def _relu(gram, lengths) -> arb_mat:
    """‖x_i‖‖x_j‖ t (1/4 + arcsin(t)/(2π)); of a ball that reaches beyond ±1 the part within, by the two ends."""
    n = len(lengths)

    def entry(i, j):
        t = arb(1) if i == j else gram[i, j]
        ends = [end if abs(end) <= 1 else arb(1 if end > 0 else -1) for end in (arb(t.lower()), arb(t.upper()))]
        arcsine = ends[0].asin().union(ends[1].asin())
        return lengths[i] * lengths[j] * t * (arb(1) / 4 + arcsine / (2 * arb.pi()))

    return arb_mat([[entry(i, j) for j in range(n)] for i in range(n)])


def _series(network: TwoLayer, problem: Problem, gram, lengths, terms: int) -> arb_mat:
    n, sigma = len(lengths), arb(float(problem.sigma))
    spreads = [sigma * length for length in lengths]
    alike: dict[float, arb] = {}  # inputs of about one length share the coefficients of a ball that holds all of them
    for s in spreads:
        key = float(s.mid())
        alike[key] = s if key not in alike else alike[key].union(s)
    known = {key: coefficients(network, s, terms) for key, s in alike.items()}
    total = arb_mat(n, n)
    for j in range(terms):
        D = [length * known[float(s.mid())][j] for length, s in zip(lengths, spreads, strict=True)]
        power = [[(arb(1) if i == k else gram[i, k]) ** (j + 1) for k in range(n)] for i in range(n)]
        total += arb_mat([[D[i] * D[k] * power[i][k] for k in range(n)] for i in range(n)])
    return total


def coefficients(network: TwoLayer, s: arb, terms: int) -> list[arb]:
    """c_j(s) = E[φ'(s z) h_j(z)], enclosed; for softmax s^j/√j!, those of exp without what the normalisation removes."""
    if network.value is network.slope:  # exp
        factor = arb(1) if network.normalised else (s * s / 2).exp()
        return [factor * s**j / arb(math.factorial(j)).sqrt() for j in range(terms)]
    assert network.slope is catalogue.two_layer(network.name).slope  # the checker knows the register's by their names
    slope = ELEMENTWISE[network.name][1]
    beyond = arb(0, float((LARGEST_SLOPE * (arb(REACH) / arb(2).sqrt()).erfc().sqrt()).upper()))
    return [_integral(lambda z: slope(s * z), j) + beyond for j in range(terms)]


def _integral(function: Callable, j: int) -> arb:
    def integrand(z, analytic):
        return function(z) * _hermite(j, z) * (-z * z / 2).exp()

    found = acb.integral(integrand, -REACH, REACH, rel_tol=arb(2) ** -100, abs_tol=arb(2) ** -140)
    return found.real / (2 * arb.pi()).sqrt()


def _hermite(j: int, z):
    """h_j(z), of variance 1 under the standard normal law."""
    before, now = acb(0), acb(1)
    for k in range(j):
        before, now = now, (z * now - acb(k).sqrt() * before) / acb(k + 1).sqrt()
    return now


def smallest(matrix: arb_mat) -> float:
    """A number below λ_min of every symmetric matrix in the ball; 0 where none above 0 is proved."""
    n = matrix.nrows()
    values = [value.real for value in flint.acb_mat(matrix).eig(nonstop=True, algorithm="approx")]
    guess = min(float(value.mid()) for value in values)
    for share in (1 - 1e-6, 0.99, 0.5):
        if guess > 0 and _definite(matrix, arb(share * guess), n):
            return share * guess
    return 0.0


def _definite(matrix: arb_mat, shift: arb, n: int) -> bool:
    """Whether all pivots of matrix − shift I are above 0, in balls."""
    A = [[matrix[i, j] - (shift if i == j else 0) for j in range(n)] for i in range(n)]
    for k in range(n):
        if not A[k][k] > 0:
            return False
        for i in range(k + 1, n):
            share = A[i][k] / A[k][k]
            for j in range(k + 1, n):
                A[i][j] -= share * A[k][j]
    return True


def _parallel(problem: Problem) -> str:
    """The first two inputs that are parallel, exactly."""
    rows = [[Fraction(float(x)) for x in row] for row in np.asarray(problem.X, np.float64)]

    def dot(a, b):
        return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))

    for i, one in enumerate(rows):
        for j, other in enumerate(rows[:i]):
            if dot(one, other) ** 2 == dot(one, one) * dot(other, other):
                return f"inputs {j} and {i} are parallel"
    return ""


def rank_of_power(X: np.ndarray, degree: int) -> tuple[int, int]:
    """(rank of K for φ(u) = u^degree/degree and σ = 1, exactly, C(d_in + degree − 1, degree)): polynomials are the negative.

    φ'(⟨w,x⟩) x is linear in the symmetric tensor x^{⊗ degree}, so the rank is at most the number of its entries.
    """
    p, rows = degree - 1, [[flint.fmpq(*float(x).as_integer_ratio()) for x in row] for row in np.asarray(X)]
    n = len(rows)
    dots = [[sum((a * b for a, b in zip(x, z, strict=True)), flint.fmpq(0)) for z in rows] for x in rows]

    def moment(i, j):
        """E[u^p v^p] (Isserlis)."""
        total = flint.fmpq(0)
        for r in range(p % 2, p + 1, 2):
            half = (p - r) // 2
            count = math.factorial(p) ** 2 // (math.factorial(half) ** 2 * 4**half * math.factorial(r))
            total += count * (dots[i][i] * dots[j][j]) ** half * dots[i][j] ** r
        return total

    K = flint.fmpq_mat(n, n, [dots[i][j] * moment(i, j) for i in range(n) for j in range(n)])
    return K.rank(), math.comb(X.shape[1] + degree - 1, degree)
