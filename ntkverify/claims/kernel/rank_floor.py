r"""Rank of the kernel, and the width below which λ = 0

Source: docs/theory.md §3
Networks: logits
Setting: Any two-layer network of the catalogue at $W(0)$, restricted to its first $m'$ neurons; $\rho = \mathrm{rank}(X)$.
Measured: $m'$ is the largest width whose rank bound lies below $nd$, and not above $m$. $\mathrm{tr}\,H$ against the sum of as many of its largest eigenvalues as the bound allows: $H$ is positive semidefinite, so they agree where all others are 0.
Refuted by: One draw where the two differ by more than rounding and the enclosure of the eigenvalues explain.

[derived]
Direction: equality
Assumes: A width $m' \ge 2$ (coupled) or $m' \ge 1$ with a rank bound below $nd$ exists.
Statement: $$ \mathrm{rank}\, H(0) \le \min\!\left(nd,\ \rho\, m'/2\right)\ \text{(coupled)}, \qquad \text{so}\quad \lambda = 0 \ \text{ whenever }\ m' < 2nd/\rho. $$ Independent initialisation: $\rho\, m'$, and $\rho\,(m'-1)$ for softmax.
Proof: $J J^\top$ has the rank of $J$, whose columns for neuron $r$ are $s\,\mathrm{diag}(G_{\cdot,r})(X \otimes 1_d)$, of rank at most $\rho$. At a coupled $W(0)$, $f = 0$ and the two neurons of a pair give the same columns up to sign, so only $m'/2$ blocks count. For softmax $\sum_r G_{p,r} = m\langle v_p, S_i\rangle = 0$ where $v = a - f$, so one block depends on the others.
Note: Necessary, not sufficient: above the floor $\lambda$ may still vanish, for instance with duplicate inputs.
"""

import jax.numpy as jnp

from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.nouns import AT_START, COUPLED, Params
from ntkverify.networks.quantities import rank_bound
from ntkverify.statements.form import Form, Twin


def widths(problem):
    step = 2 if problem.init == COUPLED else 1
    return range(step, problem.m + 1, step)


def width_below(problem):
    """The largest width whose rank bound is below nd; 0 if there is none."""
    nd = problem.n * problem.d_out
    return max((m for m in widths(problem) if rank_bound(problem, m) < nd), default=0)


def assumptions(problem, point, c):
    return jnp.asarray(width_below(problem) > 0)


def kernel(problem, point, m):
    """H at the first m neurons."""
    m = max(m, 2)  # where no width is below the floor, the assumption already says so
    return closed_form(problem, Params(point.base.W[:, :m], point.base.a[:, :m]))


def trace(m):
    return lambda problem, point, c: jnp.trace(kernel(problem, point, m(problem)))


def largest(m, rank):
    """The sum of the `rank` largest eigenvalues."""

    def total(problem, point, c):
        values = jnp.linalg.eigvalsh(kernel(problem, point, m(problem)))
        return jnp.sum(values[max(len(values) - rank(problem), 0) :])

    return total


def floor(problem):
    return rank_bound(problem, width_below(problem))


lhs, rhs = trace(width_below), largest(width_below, floor)


def twice(problem):
    return 2 * width_below(problem)


derived = Form(lhs, rhs, assumptions=assumptions, where=AT_START).with_twins(
    Twin("the bound lowered by one", rhs=largest(width_below, lambda problem: floor(problem) - 1)),
    Twin(
        "the factor 1/2 of the floor dropped: λ = 0 at twice the width",
        lhs=trace(twice),
        rhs=largest(twice, lambda problem: problem.n * problem.d_out - 1),
    ),
)
