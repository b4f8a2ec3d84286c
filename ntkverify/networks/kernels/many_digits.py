"""The kernel's limit on unit inputs with as many digits as it takes: where inputs come close, λ falls below float64.

On unit inputs K_ij = k(⟨x_i,x_j⟩), one function of the inner product for each network.  Networks that know it in closed form
give it as `dual`, and then everything is enclosed (Arb).  For the others φ' is expanded in Hermite polynomials,
k(t) = t Σ_j c_j² t^j with c_j = E[φ'(σz) h_j(z)], by the trapezoidal rule, which for analytic φ' errs by e^{−2πw/(σh)}, w the
width of the strip where φ' is analytic; that error is not enclosed.  Terms left out are positive semidefinite, so what is
found is below k(G) up to the quadrature.
"""

from collections.abc import Callable, Sequence

import flint
import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic.arb import enclosed
from ntkverify.networks.nouns import TwoLayer

STEP, REACH, TERMS = 1 / 16, 36, 200
"""Of the trapezoidal rule, in standard deviations (the last polynomial oscillates up to 2√200 = 28); how many coefficients."""
Numbers = list[list[flint.arb]]


def on_the_sphere(network: TwoLayer, sigma: float) -> Callable[[flint.arb], flint.arb]:
    """t → K_ij for unit inputs with ⟨x_i,x_j⟩ = t, at Arb's working precision."""
    if network.dual is not None:
        return lambda t: network.dual(t, flint.arb(sigma))  # type: ignore[misc]
    squares = [c * c for c in hermite(network, sigma)]

    def value(t):
        total = flint.arb(0)
        for each in reversed(squares):
            total = total * t + each
        return total * t

    return value


def hermite(network: TwoLayer, sigma: float, terms: int = TERMS) -> list[flint.arb]:
    """E[φ'(σz) h_j(z)], j < terms, h_j the normalised Hermite polynomials."""
    count = int(REACH / STEP)
    nodes = np.arange(-count, count + 1) * STEP
    slopes = enclosed(lambda z: network.slope(sigma * z), flint.ctx.prec)(jnp.asarray(nodes))
    z = [flint.arb(float(node)) for node in nodes]
    root = (2 * flint.arb.pi()).sqrt()
    weighted = [slope * (-(node * node) / 2).exp() * STEP / root for slope, node in zip(slopes, z, strict=True)]
    found, before, now = [], [flint.arb(0)] * len(z), [flint.arb(1)] * len(z)
    for j in range(terms):
        found.append(sum((w * h for w, h in zip(weighted, now, strict=True)), flint.arb(0)))
        up, down = flint.arb(j + 1).sqrt(), flint.arb(j).sqrt()
        before, now = now, [(x * h - down * g) / up for x, h, g in zip(z, now, before, strict=True)]
    return found


def unit(rows: Sequence[Sequence[flint.arb]]) -> Numbers:
    """The rows, each divided by its length."""
    lengths = [sum((x * x for x in row), flint.arb(0)).sqrt() for row in rows]
    return [[x / length for x in row] for row, length in zip(rows, lengths, strict=True)]


def smallest_eigenvalue(kernel: Callable[[flint.arb], flint.arb], rows: Numbers) -> flint.arb:
    """λ_min of k(⟨x_i,x_j⟩) over unit rows, enclosed but for what `kernel` leaves open."""
    n = len(rows)
    one = kernel(flint.arb(1))
    entries = [
        one if i == j else kernel(sum((a * b for a, b in zip(rows[i], rows[j], strict=True)), flint.arb(0)))
        for i in range(n)
        for j in range(n)
    ]
    values = [value.real for value in flint.acb_mat(flint.arb_mat(n, n, entries)).eig(nonstop=True)]
    return min(values, key=lambda value: float(value.mid()))
