r"""Rank of the kernel, and the width below which λ = 0

Source: docs/theory.md §3
Setting: Any two-layer network of the catalogue at $W(0)$, restricted to its first $m'$ neurons; $\rho = \mathrm{rank}(X)$.
Measured: $m'$ is the largest width whose rank bound lies below $nd$, and not above $m$. The eigenvalues of $H$ beyond the bound, against zero, with the backward error of the eigenvalue routine as allowance.
Refuted by: One eigenvalue beyond the bound that rounding does not explain.

[derived]
Direction: equality
Assumes: A width $m' \ge 2$ (coupled) or $m' \ge 1$ with a rank bound below $nd$ exists.
Statement: $$ \mathrm{rank}\, H(0) \le \min\!\left(nd,\ \rho\, m'/2\right)\ \text{(coupled)}, \qquad \text{so}\quad \lambda = 0 \ \text{ whenever }\ m' < 2nd/\rho. $$ Independent initialisation: $\rho\, m'$, and $\rho\,(m'-1)$ for softmax.
Proof: $J J^\top$ has the rank of $J$, whose columns for neuron $r$ are $s\,\mathrm{diag}(G_{\cdot,r})(X \otimes 1_d)$, of rank at most $\rho$. At a coupled $W(0)$, $f = 0$ and the two neurons of a pair give the same columns up to sign, so only $m'/2$ blocks count. For softmax $\sum_r G_{p,r} = m\langle v_p, S_i\rangle = 0$ where $v = a - f$, so one block depends on the others.
Note: Necessary, not sufficient: above the floor $\lambda$ may still vanish, for instance with duplicate inputs.
"""

import jax.numpy as jnp

from ntkverify.nouns import AT_START, COUPLED, Params, Twin, claim
from ntkverify.quantities import eigenvalues, rank_bound


def widths(problem):
    step = 2 if problem.init == COUPLED else 1
    return range(step, problem.m + 1, step)


def width_below(problem):
    """The largest width whose rank bound is below nd; 0 if there is none."""
    nd = problem.n * problem.d_out
    return max((m for m in widths(problem) if rank_bound(problem, m) < nd), default=0)


def assumptions(problem, point, c):
    return jnp.asarray(width_below(problem) > 0)


def beyond(problem, point, m, rank):
    """The eigenvalues of H at the first m neurons, the `rank` largest left out."""
    m = max(m, 2)  # where no width is below the floor, the assumption already says so
    first = Params(point.base.W[:, :m], point.base.a[:, :m])
    values = eigenvalues(problem, first)
    return values[: max(values.shape[0] - rank, 1)]


def lhs(problem, point, c):
    m = width_below(problem)
    return beyond(problem, point, m, rank_bound(problem, m))


def rhs(problem, point, c):
    return jnp.zeros((), problem.X.dtype)


def one_rank_less(problem, point, c):
    m = width_below(problem)
    return beyond(problem, point, m, rank_bound(problem, m) - 1)


def wider(problem, point, c):
    """λ = 0 claimed at a width above the floor."""
    return beyond(problem, point, 2 * width_below(problem), problem.n * problem.d_out - 1)


CLAIMS = (
    claim(
        __name__,
        __doc__,
        "derived",
        lhs=lhs,
        rhs=rhs,
        assumptions=assumptions,
        where=AT_START,
        twins=(
            Twin("the bound lowered by one", lhs=one_rank_less),
            Twin("the factor 1/2 of the floor dropped: λ = 0 at twice the width", lhs=wider),
        ),
    ),
)
