r"""Rate of the kernel's limit

Source: docs/theory.md §2 and §4
Networks: two-layer
Setting: Any two-layer network of the catalogue at $W(0)$, coupled or independent; $K_{ij} = \langle x_i,x_j\rangle\,\mathbb E[\varphi'(u_i)\varphi'(u_j)]$ (softmax: $\langle x_i,x_j\rangle e^{\sigma^2\langle x_i,x_j\rangle}$).
Measured: $\|H_{m'} - K\otimes I_d\|_F / \|K\otimes I_d\|_F$ at $m' = m/32, m/16, m/8, m/4$, each the root mean square over the first four disjoint groups of $m'$ neurons of a draw; the slope of its logarithm on $\log m'$ by least squares, one slope a draw; a 95% t-interval of the mean slope over the draws. Holds when the interval lies within 0.1 of $-1/2$, is violated when it lies outside.
Refuted by: An interval of the exponent that does not meet $-1/2 \pm 0.1$, at widths where the rate is visible.

[derived]
Direction: order
Assumes: The rate is visible at the smallest width: $m/32 \ge \max(8, v^3)$, $v = \mathbb E[\varphi'^4]/\mathbb E[\varphi'^2]^2$ at the longest input, which is $e^{4\sigma^2\|x\|^2}$ for softmax and the exponential. Chosen before the fit, because the squared error fluctuates by more than itself below that. Where the limit is found by quasi-Monte Carlo, the kernels of every width also lie at least five of its standard errors away.
Statement: $$ \|H(0) - K\otimes I_d\|_F \ \sim\ m^{-1/2} $$
Proof: Elementwise networks: $H(0)$ is the mean over the distinct neurons of independent matrices with mean $K \otimes I_d$ (the two neurons of a coupled pair give the same term), so $\mathbb E\|H(0) - K\otimes I_d\|_F^2 = V/\mu$ exactly, with $\mu = m/2$ (coupled) or $m$ distinct neurons and $V = d^2\sum_{ij}\langle x_i,x_j\rangle^2\,\mathbb E[\varphi'(u_i)^2\varphi'(u_j)^2] - d\|K\|_F^2$. Softmax: $f$ and the mean of $e^{u}$ concentrate at the same rate and $H$ is a smooth function of such means, so the law holds to leading order (the delta method).
Note: Nothing is fitted where the rate is not visible: for softmax and inputs of length 1 that needs m ≥ 5.2·10⁶ at σ = 1, and m ≥ 643 at σ = 0.5. Four groups at every width, so that the scatter biases the logarithm equally at all of them.
"""

import jax
import jax.numpy as jnp

from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.kernels.infinite_width import infinite_width, spread
from ntkverify.networks.lattice import blur
from ntkverify.networks.nouns import AT_START, Params
from ntkverify.statements.form import Form, Twin

GROUPS = 4
CLEAR = 5
"""How far, in standard errors of a limit that is found by quasi-Monte Carlo, the kernels are to be from it."""


def widths(problem):
    """m/32, m/16, m/8, m/4, rounded down to even numbers."""
    return tuple(max(2 * (problem.m // (2 * part)), 2) for part in (32, 16, 8, 4))


def lhs(problem, point, c):
    return away(problem, point, infinite_width(problem))


def half_the_limit(problem, point, c):
    return away(problem, point, infinite_width(problem) / 2)


def away(problem, point, limit):
    """‖H_m' − limit‖_F / ‖limit‖_F at each of `widths`, root mean square over the groups."""

    def squared(m):
        groups = range(0, min(GROUPS * m, problem.m - m + 1), m)
        W, a = (jnp.stack([each[:, at : at + m] for at in groups]) for each in (point.base.W, point.base.a))
        return jnp.mean(jax.lax.map(lambda g: jnp.sum((closed_form(problem, Params(*g)) - limit) ** 2), (W, a)))

    return jnp.sqrt(jnp.stack([squared(m) for m in widths(problem)]) / jnp.sum(limit**2))


def rhs(problem, point, c):
    return jnp.asarray(widths(problem), problem.X.dtype)


def visible(problem, point, c):
    least = jnp.maximum(spread(problem) ** 3, 8)
    wide = jnp.asarray(problem.m // 32, least.dtype) >= least
    if problem.network.neuron is None:
        return wide
    return wide & (
        CLEAR * blur(problem) <= jnp.min(lhs(problem, point, c))
    )  # else the limit's own error is what is seen


derived = Form(
    lhs, rhs, assumptions=visible, where=AT_START, constants={"exponent": -0.5, "tolerance": 0.1}
).with_twins(
    Twin("m^{-1} claimed", rhs=lambda p, q, c: jnp.sqrt(rhs(p, q, c))),
    Twin("m^{-1/4} claimed", rhs=lambda p, q, c: rhs(p, q, c) ** 2),
    Twin("half the limit in place of it", lhs=half_the_limit),
)
